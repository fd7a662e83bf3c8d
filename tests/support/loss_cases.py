"""Every loss with weights and reductions, as a program that TensorFlow and Millstream both run.

`results(tf)` gives for each case the loss, its gradients, and the names in the collection of losses.
"""

import itertools
from typing import Any

import numpy as np

RNG = np.random.RandomState(3)
A, B = RNG.uniform(0.05, 0.95, (4, 3)).astype("f4"), RNG.uniform(0.05, 0.95, (4, 3)).astype("f4")
BITS, CLASSES = RNG.randint(0, 2, (4, 3)).astype("f4"), RNG.randint(0, 3, (4,))
ONE_HOT = np.eye(3, dtype="f4")[CLASSES]
WEIGHTS = {
    "plain": 1.0,
    "scalar": 2.5,
    "rows": np.array([[1.0], [0.0], [2.0], [0.5]], "f4"),
    "all": RNG.randint(0, 3, (4, 3)).astype("f4"),
}
ROWS = {"plain": 1.0, "scalar": 2.5, "rows": np.array([1.0, 0.0, 2.0, 0.5], "f4")}


def cases(tf: Any) -> dict[str, Any]:
    """Return for each case a function from (labels or predictions) to the loss."""
    k, reduction = tf.losses, tf.losses.Reduction
    ways = [
        reduction.NONE,
        reduction.SUM,
        reduction.MEAN,
        reduction.SUM_OVER_BATCH_SIZE,
        reduction.SUM_BY_NONZERO_WEIGHTS,
    ]
    found: dict[str, Any] = {}
    elementwise = {
        "absolute_difference": lambda x, **o: k.absolute_difference(A, x, **o),
        "mean_squared_error": lambda x, **o: k.mean_squared_error(A, x, **o),
        "huber_loss": lambda x, **o: k.huber_loss(A, x, delta=0.3, **o),
        "log_loss": lambda x, **o: k.log_loss(BITS, x, epsilon=1e-5, **o),
        "hinge_loss": lambda x, **o: k.hinge_loss(BITS, x, **o),
        "sigmoid_cross_entropy": lambda x, **o: k.sigmoid_cross_entropy(BITS, x, label_smoothing=0.1, **o),
    }
    for (name, loss), (label, weights), way in itertools.product(elementwise.items(), WEIGHTS.items(), ways):
        found[f"{name}, {label}, {way}"] = lambda x, f=loss, w=weights, r=way: f(x, weights=w, reduction=r)
    by_row = {
        "softmax_cross_entropy": lambda x, **o: k.softmax_cross_entropy(ONE_HOT, x, label_smoothing=0.2, **o),
        "sparse_softmax_cross_entropy": lambda x, **o: k.sparse_softmax_cross_entropy(CLASSES, x, **o),
    }
    for (name, loss), (label, weights), way in itertools.product(by_row.items(), ROWS.items(), ways):
        found[f"{name}, {label}, {way}"] = lambda x, f=loss, w=weights, r=way: f(x, weights=w, reduction=r)
    found["cosine_distance"] = lambda x: k.cosine_distance(A, x, axis=1, weights=WEIGHTS["rows"])
    found["pairs"] = lambda x: k.mean_pairwise_squared_error(A, x)
    found["pairs, rows"] = lambda x: k.mean_pairwise_squared_error(A, x, weights=WEIGHTS["rows"], scope="named")
    found["own"] = lambda x: k.compute_weighted_loss(x * x, WEIGHTS["all"])
    found["elsewhere"] = lambda x: k.log_loss(BITS, x, loss_collection="mine")
    return found


def results(tf: Any) -> dict[str, Any]:
    """Run every case."""
    found = {}
    for name, build in cases(tf).items():
        with tf.Graph().as_default(), tf.Session() as session:
            x = tf.constant(B)
            loss = build(x)
            value, slopes = session.run([loss, tf.gradients(loss, x)[0]])
            names = [item.name for item in tf.losses.get_losses()]
            found[name] = {"value": value.tolist(), "slopes": slopes.tolist(), "losses": names}
    return found
