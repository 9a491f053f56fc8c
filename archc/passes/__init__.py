"""Passes: each makes a graph into another one of the same meaning."""
