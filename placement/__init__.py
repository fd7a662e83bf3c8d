"""Decides where each node runs, lists the copies, reports and explains. Never runs a graph.

What programs need is here: `transfer_guard`, `Placement`, the policies, and the device functions for parameter servers.
"""

from .assignment import Copy, Row
from .policies import (
    Choice,
    Policy,
    SmallTensorsOnCpu,
    cpu_first,
    default_policy,
    gpu_first,
    small_tensors_on_cpu,
    use_policy,
)
from .replica import GreedyLoadBalancingStrategy, RoundRobinStrategy, byte_size_load_fn, replica_device_setter
from .report import Placement
from .transfer_guard import transfer_guard

__all__ = [
    "Choice",
    "Copy",
    "GreedyLoadBalancingStrategy",
    "Placement",
    "Policy",
    "RoundRobinStrategy",
    "Row",
    "SmallTensorsOnCpu",
    "byte_size_load_fn",
    "cpu_first",
    "default_policy",
    "gpu_first",
    "replica_device_setter",
    "small_tensors_on_cpu",
    "transfer_guard",
    "use_policy",
]
