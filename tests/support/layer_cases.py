"""Layers as programs that TensorFlow and Millstream both run: values with weights made of a formula, names, shapes.

`results(tf)` gives for each case the value, its static shape, the sums of its gradients, and variables by name and shape.
"""

from typing import Any

import numpy as np

RNG = np.random.RandomState(11)
SEQUENCES, IMAGES, VOLUMES = (
    RNG.uniform(-1, 1, dims).astype("f4") for dims in ((2, 9, 3), (2, 7, 8, 3), (2, 5, 4, 6, 3))
)


def cases(tf: Any) -> dict[str, Any]:
    """Return for each case (input, function of a placeholder for it)."""
    found: dict[str, Any] = {}
    k = tf.layers
    for padding in ("valid", "same"):
        found[f"conv1d {padding}"] = SEQUENCES, lambda x, p=padding: k.conv1d(x, 4, 3, 2, p)
        found[f"conv2d {padding}"] = (
            IMAGES,
            lambda x, p=padding: k.conv2d(x, 4, (3, 2), (2, 1), p, activation=tf.nn.relu),
        )
        found[f"conv3d {padding}"] = VOLUMES, lambda x, p=padding: k.conv3d(x, 4, (3, 2, 2), 2, p, use_bias=False)
        found[f"conv2d_transpose {padding}"] = IMAGES, lambda x, p=padding: k.conv2d_transpose(x, 4, (3, 2), (2, 1), p)
        found[f"conv3d_transpose {padding}"] = VOLUMES, lambda x, p=padding: k.conv3d_transpose(x, 2, 3, (1, 2, 1), p)
        found[f"separable_conv1d {padding}"] = (
            SEQUENCES,
            lambda x, p=padding: k.separable_conv1d(x, 4, 3, 1, p, depth_multiplier=2),
        )
        found[f"separable_conv2d {padding}"] = (
            IMAGES,
            lambda x, p=padding: k.separable_conv2d(x, 4, 3, 2, p, depth_multiplier=2),
        )
        for rank, x in ((1, SEQUENCES), (2, IMAGES), (3, VOLUMES)):
            for kind in ("max", "average"):
                name = f"{kind}_pooling{rank}d"
                found[f"{name} {padding}"] = x, lambda x, n=name, p=padding: getattr(k, n)(x, 2, 2, p)
    found["conv2d dilated"] = IMAGES, lambda x: k.conv2d(x, 2, 3, dilation_rate=(2, 1), name="named")
    found["dense"] = IMAGES, lambda x: k.dense(k.flatten(x), 5, tf.tanh)
    found["two"] = IMAGES, lambda x: k.conv2d(k.conv2d(x, 2, 3), 3, 1)
    found["classes"] = IMAGES, lambda x: k.Conv2D(2, 3, name="c")(k.MaxPooling2D(2, 1)(x))
    return found


def results(tf: Any) -> dict[str, Any]:
    """Run every case."""
    found = {}
    for name, (value, build) in cases(tf).items():
        with tf.Graph().as_default(), tf.Session() as session:
            x = tf.placeholder(tf.float32, (None, *value.shape[1:]))
            y = build(x)
            variables = tf.trainable_variables()
            fills = [np.cos(np.arange(np.prod(v.shape.as_list()) or 1)).reshape(v.shape.as_list()) for v in variables]
            session.run([tf.assign(v, fill.astype("f4")) for v, fill in zip(variables, fills)])  # noqa: B905
            gradients = [tf.reduce_sum(tf.convert_to_tensor(g) ** 2) for g in tf.gradients(y**2, [x, *variables])]
            numbers, slopes = session.run([y, gradients], {x: value})
            found[name] = {
                "value": numbers.ravel()[::7].tolist(), "shape": y.shape.as_list(), "actual": list(numbers.shape),
                "slopes": [float(slope) for slope in slopes],
                "variables": [[v.name, v.shape.as_list()] for v in variables],
            }  # fmt: skip
    return found
