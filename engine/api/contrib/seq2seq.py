"""`tf.contrib.seq2seq`: attention, decoders, beam search and the loss of sequences."""

from ....ops.layers.seq2seq import *  # noqa: F403
