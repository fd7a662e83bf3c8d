"""`tf.contrib.legacy_seq2seq`: sequence to sequence over lists of steps."""

from ....ops.layers.seq2seq.legacy import *  # noqa: F403
