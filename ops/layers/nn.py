"""What this folder adds to `tf.nn`: functions that need random numbers, variables or several shards."""

from .dropout import dropout
from .embedding import embedding_lookup

__all__ = ["dropout", "embedding_lookup"]
