"""Generated modules at work: loading, feeding, verifying, running. The only package that imports torch."""
