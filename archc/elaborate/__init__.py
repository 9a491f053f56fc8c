"""Tree to typed graph: names are resolved, blocks specialised and lifted, sizes solved."""
