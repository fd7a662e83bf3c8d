"""`tf.contrib`: what TF1 programs use most of it. Names only; loaded when a program first says `tf.contrib`."""

from . import framework as framework
from . import layers as layers
from . import learn as learn
from . import slim as slim
from . import slim_losses as losses
from . import tensorboard as tensorboard
from . import training as training
from . import util as util

__all__ = ["framework", "layers", "learn", "losses", "slim", "tensorboard", "training", "util"]
