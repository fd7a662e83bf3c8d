"""`tf.flags`: absl's flags, with the keyword names that TensorFlow 1 gave them.

`FLAGS` parses the command line when a flag is first read, so programs without `tf.app.run` work too. Flags are absl's own
objects: programs and libraries that use absl directly see the same ones.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from absl import flags as absl_flags

__all__ = [
    "FLAGS",
    "DEFINE_alias",
    "DEFINE_bool",
    "DEFINE_boolean",
    "DEFINE_enum",
    "DEFINE_enum_class",
    "DEFINE_float",
    "DEFINE_integer",
    "DEFINE_list",
    "DEFINE_multi_enum",
    "DEFINE_multi_float",
    "DEFINE_multi_integer",
    "DEFINE_multi_string",
    "DEFINE_spaceseplist",
    "DEFINE_string",
    "ParsingFlagValues",
]  # fmt: skip

# The flags that are defined through this module belong to the modules that call it: `--help` and errors name those.
absl_flags.disclaim_key_flags()

# TensorFlow's older keyword names, and absl's.
_KEYWORDS = {"flag_name": "name", "default_value": "default", "docstring": "help"}


class ParsingFlagValues:
    """Stands before absl's FlagValues: reading a flag parses `sys.argv` if nothing has parsed it yet."""

    def __init__(self, values: absl_flags.FlagValues) -> None:
        object.__setattr__(self, "_values", values)

    def __getattr__(self, name: str) -> Any:
        if name == "__flags":
            return self._values._flags()
        if not name.startswith("_") and name in self._values and not self._values.is_parsed():
            self._values(sys.argv, known_only=True)
        return getattr(self._values, name)

    def _parse_flags(self, args: Any = None) -> None:
        """Parse the command line now; programs of TensorFlow 1.0 to 1.4 call this."""
        self._values(sys.argv if args is None else [sys.argv[0], *args], known_only=True)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._values, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._values, name)

    def __dir__(self) -> list[str]:
        return dir(self._values)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __setitem__(self, name: str, flag: Any) -> None:
        self._values[name] = flag

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __iter__(self) -> Any:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._values(*args, **kwargs)


FLAGS: Any = ParsingFlagValues(absl_flags.FLAGS)


def _define(define: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(define)
    def defined(*args: Any, **kwargs: Any) -> Any:
        renamed = {_KEYWORDS.get(key, key): value for key, value in kwargs.items()}
        return define(*args, **renamed)

    return defined


DEFINE_string = _define(absl_flags.DEFINE_string)
DEFINE_boolean = _define(absl_flags.DEFINE_boolean)
DEFINE_bool = DEFINE_boolean
DEFINE_float = _define(absl_flags.DEFINE_float)
DEFINE_integer = _define(absl_flags.DEFINE_integer)
DEFINE_enum = _define(absl_flags.DEFINE_enum)
DEFINE_enum_class = _define(absl_flags.DEFINE_enum_class)
DEFINE_list = _define(absl_flags.DEFINE_list)
DEFINE_spaceseplist = _define(absl_flags.DEFINE_spaceseplist)
DEFINE_multi_string = _define(absl_flags.DEFINE_multi_string)
DEFINE_multi_integer = _define(absl_flags.DEFINE_multi_integer)
DEFINE_multi_float = _define(absl_flags.DEFINE_multi_float)
DEFINE_multi_enum = _define(absl_flags.DEFINE_multi_enum)
DEFINE_alias = absl_flags.DEFINE_alias
