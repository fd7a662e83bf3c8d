"""`tf.sysconfig`."""

from ..program.behaviour import CXX11_ABI_FLAG, MONOLITHIC_BUILD
from ..program.places import get_include, get_lib

__all__ = ["CXX11_ABI_FLAG", "MONOLITHIC_BUILD", "get_include", "get_lib"]
