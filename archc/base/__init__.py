"""Spans, diagnostics, limits and the registry: what every floor uses and what knows nothing of networks."""
