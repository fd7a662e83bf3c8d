"""`tf.contrib`: what TF1 programs use most of it. Names only; loaded when a program first says `tf.contrib`."""
