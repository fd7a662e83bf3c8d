"""Kernels of stateful ops on variables' cells, without a session: what the tests of ops/state and the cells share."""

import numpy as np

from millstream.devices.cpu import CpuDevice
from millstream.engine.runtime.variables import Cell
from millstream.ops.core import dtypes
from millstream.ops.core.registry import lookup


def make_cell(value, device=None, name="v", shape="of value", is_resource=False, serial=0):
    """Returns a cell on `device` (default: a CPU) that holds a copy of `value`, or nothing when it is None."""
    device = device or CpuDevice()
    array = np.asarray(value, "f4") if isinstance(value, list | float) else value
    dims = (array.shape if array is not None else ()) if shape == "of value" else shape
    dtype = dtypes.as_dtype(array.dtype) if array is not None else dtypes.float32
    cell = Cell(name, dtype, dims, device, is_resource, serial)
    if array is not None:
        cell.assign(device.put(array))
    return cell


def run(op_type, *inputs, device=None, **attrs):
    """Runs an op's kernel; NumPy inputs go to the device first, cells stay."""
    decl, device = lookup(op_type), device or CpuDevice()
    host = [arg.name in decl.host for arg in decl.inputs]
    values = [
        x if stays or isinstance(x, Cell) or device.owns(x) else device.put(np.asarray(x))
        for x, stays in zip(inputs, host, strict=True)
    ]
    with device.activate():
        return decl.kernels_for(device.kind)[0].function(device.xp, *values, **attrs)


def held(cell):
    """Returns what a cell holds, as a NumPy array."""
    return cell.device.get(cell.read())
