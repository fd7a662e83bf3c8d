"""What follows the products of a layer: a bias for each element of the last axis, and relu, in the products' own memory."""

from __future__ import annotations

import numpy as np

from ...devices.threads import divide
from ...devices.types import Array

# Elements that are worth a second thread, and elements that fit into a core's cache.
_THREADED = 1 << 18
_PIECE = 1 << 16
_ZEROS = {np.dtype(kind): np.zeros((), kind) for kind in ("f4", "f8")}


def finish(made: Array, bias: Array | None, relu: bool) -> Array:
    """Add a row to an array along its last axis, where there is one, and cut it off below 0 if `relu`; in place.

    Piece by piece and on all cores when it is large: no second array is made.
    """
    if bias is None and not relu:
        return made
    rows = made.reshape(-1, made.shape[-1])
    step = max(1, _PIECE // max(1, rows.shape[1]))

    def part(start: int, stop: int) -> None:
        for low in range(start, stop, step):
            finish_piece(rows[low : min(low + step, stop)], bias, relu)

    if made.size < _THREADED:
        part(0, len(rows))
    else:
        divide(part, len(rows), 1)
    return made


def finish_piece(piece: Array, bias: Array | None, relu: bool) -> None:
    """Do the same at once, on this thread."""
    if bias is not None:
        np.add(piece, bias, out=piece)
    if relu:
        np.maximum(piece, _ZEROS[piece.dtype], out=piece)
