"""The operations, one per file; the registries find them."""
