"""Ways of reducing an axis."""
