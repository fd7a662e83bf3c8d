"""Datasets and iterators: the ops behind `tf.data`, and the pipelines that they make while a graph runs."""
