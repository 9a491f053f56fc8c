"""Derivatives of formulas and regions, as formulas."""
