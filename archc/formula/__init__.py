"""The index formula: tree, normal form, substitution."""
