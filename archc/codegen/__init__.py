"""From a typed graph to the text of a PyTorch module."""
