"""The namespaces that people type: nn, train, summary, errors, initializers. Names only."""
