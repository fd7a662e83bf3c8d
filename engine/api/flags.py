"""`tf.flags`: absl's flags; what TensorFlow 1 changed of them comes last and stands over absl's."""

from absl.flags import *  # noqa: F403

from ..program.flags import *  # noqa: F403
