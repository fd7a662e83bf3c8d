"""The graph, tensors, dtypes, shapes, errors and the registry of ops: what every op family builds on."""
