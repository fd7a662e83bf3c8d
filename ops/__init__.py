"""Build graphs and define kernels; never run a graph."""
