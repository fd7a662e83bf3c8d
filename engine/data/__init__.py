"""`tf.data`: datasets and iterators as programs see them."""
