"""`tf.keras` as TF1 programs use it beside graphs: layers on tensors, models of layers, and training loops over arrays."""
