"""The schedule reading: formulas become tensor steps, each subexpression once, sums of products as contractions."""
