"""Names of devices, and the devices themselves. Knows nothing of graphs.

What programs need is here: `local_devices`, `simulated_gpus`, `require_gpu`, `DeviceSpec`.
"""

from . import blas_core as blas_core  # first, for it chooses the BLAS core before NumPy is loaded
from .device import Device, DeviceAttributes, MemoryStats, Pending
from .errors import (
    DeviceError,
    DeviceMismatch,
    MissingFromDevice,
    OutOfMemory,
    StreamOrderError,
    UnsupportedByDevice,
    UseAfterFree,
)
from .registry import (
    DeviceConfig,
    SimulatedSet,
    local_devices,
    require_gpu,
    simulated_gpus,
    simulated_set,
    unusable_gpus,
)
from .spec import DeviceSpec, canonical_name, merge, parse
from .transfer import TransferCounter, transfer, transfer_async, transfers

__all__ = [
    "Device",
    "DeviceAttributes",
    "DeviceConfig",
    "DeviceError",
    "DeviceMismatch",
    "DeviceSpec",
    "MemoryStats",
    "MissingFromDevice",
    "OutOfMemory",
    "Pending",
    "SimulatedSet",
    "StreamOrderError",
    "TransferCounter",
    "UnsupportedByDevice",
    "UseAfterFree",
    "canonical_name",
    "local_devices",
    "merge",
    "parse",
    "require_gpu",
    "simulated_gpus",
    "simulated_set",
    "transfer",
    "transfer_async",
    "transfers",
    "unusable_gpus",
]
