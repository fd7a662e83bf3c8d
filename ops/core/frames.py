"""The user's lines that made a node.

Every node remembers where it was created, so that errors, placements and traces can point at the user's program.
Kept as `(code, line)` pairs, never as frame objects: a frame would keep all its locals alive, and this is on the
path of every node that is built.
"""

import contextlib
import sys
from pathlib import Path
from types import CodeType

Frames = tuple[tuple[CodeType, int], ...]

_PACKAGE_ROOT = str(Path(__file__).parents[2])
_PACKAGE_FOLDERS = ("devices", "ops", "placement", "engine")
_DEPTH = 6
_is_ours: dict[CodeType, bool] = {}


def _belongs_to_package(code: CodeType) -> bool:
    # Scopes are context managers, so contextlib stands between them and the user's `with`.
    if code.co_filename == contextlib.__file__:
        return True
    path = Path(code.co_filename)
    try:
        parts = path.relative_to(_PACKAGE_ROOT).parts
    except ValueError:
        return False
    return parts[0] in _PACKAGE_FOLDERS or parts == ("__init__.py",)


def user_frames() -> Frames:
    """Return the innermost frames outside the package, innermost first, at most six of them."""
    frame = sys._getframe(1)
    found: list[tuple[CodeType, int]] = []
    while frame is not None:
        code = frame.f_code
        ours = _is_ours.get(code)
        if ours is None:
            ours = _is_ours[code] = _belongs_to_package(code)
        if not ours:
            found.append((code, frame.f_lineno))
            if len(found) == _DEPTH:
                break
        frame = frame.f_back  # type: ignore[assignment]
    return tuple(found)


def describe(frames: Frames) -> str:
    """Return `file:line` of the innermost user frame, or `<unknown>`."""
    if not frames:
        return "<unknown>"
    code, line = frames[0]
    return f"{code.co_filename}:{line}"
