"""What `tf.contrib` adds to layers, training and scopes."""
