"""A compiler for declarative neural architectures: named axes in, readable standalone PyTorch out."""
