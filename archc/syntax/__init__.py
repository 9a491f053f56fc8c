"""Text and tree: reading a spec, writing it back in canonical form."""
