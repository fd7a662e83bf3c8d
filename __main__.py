"""`python -m millstream`: the same as the command `millstream`."""

from .engine.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
