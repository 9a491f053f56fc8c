"""The typed graph: nodes, regions, parameters, text, verifier."""
