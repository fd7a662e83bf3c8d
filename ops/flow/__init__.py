"""Control flow: conditionals and loops as nodes that own regions, and the lists that carry a loop's values to its gradient."""

from . import lists as _lists  # noqa: F401  (declares the list ops)
from .cond import case, cond, smart_cond
from .while_loop import while_loop

__all__ = ["case", "cond", "smart_cond", "while_loop"]
