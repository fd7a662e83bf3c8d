"""`tf.app.run`: parse the flags and call the program's `main` with what is left of the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from absl import app as absl_app

from .flags import FLAGS


def run(main: Callable[[list[str]], Any] | None = None, argv: Sequence[str] | None = None) -> NoReturn:
    """Call `main(argv)` and exit with what it returns; flags are parsed before, and unknown ones are left to `main`.

    Args:
      main: a function of the arguments; the function `main` of the program by default.
      argv: the command line; `sys.argv` by default.
    """
    absl_app.run(main or sys.modules["__main__"].main, argv=argv, flags_parser=_parse_known)  # type: ignore[arg-type]


def _parse_known(argv: Sequence[str]) -> list[str]:
    remaining: list[str] = FLAGS(list(argv), known_only=True)
    return remaining
