"""What a run needs besides its program: variables, contexts, cancellation, tracing."""
