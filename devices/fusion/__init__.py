"""Element-wise arithmetic as little programs, and the ways to run one: NumPy by blocks, compiled code, one CUDA kernel."""
