"""Functions of numbers, applied entry by entry."""
