"""Names of devices, and the devices themselves. Knows nothing of graphs."""
