"""Sizes, kinds and tensor types."""
