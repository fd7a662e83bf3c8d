"""Writes apply_ops.json.gz: what TensorFlow's update ops make of given variables, for the optimisers' formulas.

Run with a Python that has TensorFlow: `python tests/golden/apply_ops.py`. The file is a list of cases: the op's name, its
inputs, the variables afterwards, and the attributes that were set. Floats are float64.
"""

import gzip
import itertools
import json
import pathlib
import re

import numpy as np
import tensorflow.compat.v1 as tf
from tensorflow.python.framework import op_def_registry

UPDATE = re.compile(r"^(Resource)?(Sparse)?Apply[A-Z]\w+$")
SCALARS = {
    "lr": 0.25, "alpha": 0.25, "beta1": 0.75, "beta2": 0.875, "beta1_power": 0.5, "beta2_power": 0.625, "epsilon": 0.0625,
    "rho": 0.75, "momentum": 0.5, "l1": 0.125, "l2": 0.25, "l2_shrinkage": 0.0625, "lr_power": -0.5, "logbase": 1.5,
    "sign_decay": 0.75, "beta": 0.875, "global_step": 3,
}  # fmt: skip
# A mean must stay below the root of the mean square, and the sum that FTRL keeps is mostly negative.
SCALES = {"mg": 0.25, "linear": -1}
FLAGS = ("use_nesterov", "update_slots", "multiply_linear_by_lr")


def inputs_of(definition, rows, rng):
    for arg in definition.input_arg:
        if arg.is_ref or arg.type == tf.resource.as_datatype_enum:
            yield arg.name, rng.uniform(0.5, 2.0, (4, 3)) * SCALES.get(arg.name, 1)
        elif arg.name in ("grad", "delta"):
            yield arg.name, rng.normal(size=(4, 3) if rows is None else (len(rows), 3))
        elif arg.name == "indices":
            yield arg.name, np.array(rows, "i4")
        else:
            yield arg.name, np.array(SCALARS[arg.name], "i8" if arg.name == "global_step" else "f8")


def run(definition, arrays, flags):
    """Returns the variables after the update."""
    held = [arg.name for arg in definition.input_arg if arg.is_ref or arg.type == tf.resource.as_datatype_enum]
    with tf.Graph().as_default(), tf.Session() as session:
        resource = definition.name.startswith("Resource")
        variables = {name: tf.Variable(arrays[name], use_resource=resource) for name in held}
        handles = {name: v.handle if resource else v._variable for name, v in variables.items()}
        constants = {name: tf.constant(value) for name, value in arrays.items() if name not in held}
        update = getattr(tf.raw_ops, definition.name)(**handles, **constants, **flags)
        session.run(tf.global_variables_initializer())
        session.run(update)
        return session.run(variables)


def cases(definition):
    flags = [attr.name for attr in definition.attr if attr.name in FLAGS]
    sparse = any(arg.name == "indices" for arg in definition.input_arg)
    for choice in itertools.product((False, True), repeat=len(flags)):
        for rows in ([2, 0], [1, 3, 1]) if sparse else (None,):
            yield rows, dict(zip(flags, choice, strict=True))


def main():
    tf.disable_v2_behavior()
    rng = np.random.default_rng(2)
    found = []
    names = sorted(name for name in dir(tf.raw_ops) if UPDATE.match(name))
    for name in names:
        definition = op_def_registry.get(name)
        for rows, flags in cases(definition):
            arrays = dict(inputs_of(definition, rows, rng))
            after = run(definition, arrays, flags)
            found.append({"op": name, "inputs": listed(arrays), "after": listed(after), "attrs": flags})
    path = pathlib.Path(__file__).with_name("apply_ops.json.gz")
    path.write_bytes(gzip.compress(json.dumps(found).encode(), mtime=0))
    print(f"{path}: {len(found)} cases of {len(names)} ops")


def listed(arrays):
    return {name: np.asarray(array).tolist() for name, array in arrays.items()}


if __name__ == "__main__":
    main()
