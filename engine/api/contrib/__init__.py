"""`tf.contrib`: what TF1 programs use most of it. Names only; loaded when a program first says `tf.contrib`."""

from .. import keras as keras
from .. import lookup as lookup
from .. import signal as signal
from . import crf as crf
from . import cudnn_rnn as cudnn_rnn
from . import data as data
from . import deprecated as deprecated
from . import distributions as distributions
from . import factorization as factorization
from . import feature_column as feature_column
from . import framework as framework
from . import layers as layers
from . import learn as learn
from . import legacy_seq2seq as legacy_seq2seq
from . import metrics as metrics
from . import opt as opt
from . import predictor as predictor
from . import rnn as rnn
from . import seq2seq as seq2seq
from . import slim as slim
from . import slim_losses as losses
from . import staging as staging
from . import stateless as stateless
from . import tensorboard as tensorboard
from . import tpu as tpu
from . import training as training
from . import util as util

__all__ = [
    "crf", "cudnn_rnn", "data", "deprecated", "distributions", "factorization", "feature_column", "framework", "keras",
    "layers", "learn", "legacy_seq2seq", "lookup", "losses", "metrics", "opt", "predictor", "rnn", "seq2seq", "signal",
    "slim", "staging", "stateless", "tensorboard", "tpu", "training", "util",
]  # fmt: skip
