"""What a graph means, read from its formulas: values, cost, schedule, symmetry."""
