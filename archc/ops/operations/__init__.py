"""Named operations: a formula in the language, and the torch call that computes it."""
