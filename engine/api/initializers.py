"""`tf.initializers`."""

