"""Distributions that parameters are drawn from."""
