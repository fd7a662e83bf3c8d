"""Writes training_runs.json: where five steps of each optimiser take small variables in TensorFlow.

Run with a Python that has TensorFlow: `python tests/golden/training_runs.py`. Keys are `OPTIMISER | dense or rows | ref or
resource`; the values are the variable afterwards and the global step. The test runs the same function on this project.
"""

import json
import pathlib

import numpy as np

OPTIMIZERS = (
    "GradientDescentOptimizer(0.1)",
    "MomentumOptimizer(0.1, 0.9)",
    "MomentumOptimizer(0.1, 0.9, use_nesterov=True)",
    "AdamOptimizer(0.1)",
    "AdagradOptimizer(0.5)",
    "RMSPropOptimizer(0.1)",
    "RMSPropOptimizer(0.1, momentum=0.5, centered=True)",
    "AdadeltaOptimizer(1.0)",
    "FtrlOptimizer(0.5, l1_regularization_strength=0.01)",
    "FtrlOptimizer(0.5, l2_shrinkage_regularization_strength=0.1)",
    "ProximalAdagradOptimizer(0.5, l1_regularization_strength=0.01)",
    "ProximalGradientDescentOptimizer(0.1, l2_regularization_strength=0.1)",
    "AdagradDAOptimizer(0.5, step)",
    "AdagradDAOptimizer(0.5, step, 0.2, l1_regularization_strength=0.05, l2_regularization_strength=0.1)",
)
START = np.array([[1.0, 2.0], [3.0, 4.0], [-1.0, -2.0], [0.5, 0.25]], "f4")


def cases():
    for made in OPTIMIZERS:
        for form in ("dense", "rows"):
            for kind in ("ref", "resource"):
                yield f"{made} | {form} | {kind}"


def train(case, tf):
    """Returns the variable and the global step after five steps on a quadratic loss."""
    made, form, kind = case.split(" | ")
    with tf.Graph().as_default():
        v = tf.Variable(START, use_resource=kind == "resource")
        seen = v if form == "dense" else tf.gather(v, [1, 3, 1])
        loss = tf.reduce_sum(tf.square(seen - 0.5))
        step = tf.train.get_or_create_global_step()
        update = eval(f"tf.train.{made}", {"tf": tf, "step": step}).minimize(loss, global_step=step)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            for _ in range(5):
                session.run(update)
            return session.run(v).tolist(), int(session.run(step))


def main():
    import tensorflow.compat.v1 as tf

    tf.disable_v2_behavior()
    found = {case: train(case, tf) for case in cases()}
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in found.items()) + "\n}\n")
    print(f"{path}: {len(found)} runs")


if __name__ == "__main__":
    main()
