"""Queues and readers: the ops behind `tf.FIFOQueue` and its like, and what they hold while a graph runs."""
