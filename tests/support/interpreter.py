"""The naive interpreter: what a graph means, in a few lines, to hold every faster way of running it against."""

import numpy as np


def interpret(fetches, feeds=None):
    """Return the values of `fetches` (tensors of a graph without regions or state), by recursion over CPU kernels."""
    values = dict(feeds or {})

    def evaluate(tensor):
        if tensor not in values:
            op = tensor.op
            flat = [evaluate(t) for t in op.inputs]
            args = [flat[a:b] if arg.is_list else flat[a] for arg, a, b in op.decl.spans(op)]
            attrs = {name: op.attrs[name] for name in op.decl.kernel_attrs}
            with np.errstate(all="ignore"):
                kernels = [k for k in op.decl.kernels_for("CPU") if not k.label and (k.supports is None or k.supports(op))]
                result = kernels[0].function(np, *args, **attrs)
            values.update(zip(op.outputs, [result] if len(op.outputs) == 1 else result, strict=True))
        return values[tensor]

    return [evaluate(tensor) for tensor in fetches]
