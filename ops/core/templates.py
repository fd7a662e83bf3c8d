"""The CUDA expressions of the ufuncs, gathered from the ops that name them."""

from __future__ import annotations

from functools import lru_cache

from .registry import REGISTRY


@lru_cache(maxsize=1)
def cuda_templates() -> dict[str, str]:
    """Return the CUDA expression of every ufunc that an op declares; called when all ops are declared."""
    return {decl.fuse.name: decl.fuse.cuda for decl in REGISTRY.values() if decl.fuse is not None and decl.fuse.cuda}
