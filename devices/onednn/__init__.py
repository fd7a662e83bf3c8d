"""oneDNN, the optional extra `onednn`: convolutions, pools and large products at the speed of the machine.

Nothing is loaded before somebody asks whether it is there. Kernels of ops call the functions that are named here.
"""

from .library import OneDnnError, available, description
from .normalisation import normalise
from .primitives import Geometry, convolution, filter_gradient, image_gradient, max_pool, max_pool_gradient, mean_pool
from .product import product

__all__ = [
    "Geometry",
    "OneDnnError",
    "available",
    "convolution",
    "description",
    "filter_gradient",
    "image_gradient",
    "max_pool",
    "max_pool_gradient",
    "mean_pool",
    "normalise",
    "product",
]
