"""Every metric on three batches, as a program that TensorFlow and Millstream both run.

`results(tf)` gives for each case the value before, each update, each value after, and the names of its variables.
"""

from typing import Any

import numpy as np

RNG = np.random.RandomState(7)
BATCHES = [
    {
        "classes": RNG.randint(0, 4, (6,)),
        "guesses": RNG.randint(0, 4, (6,)),
        "yes": RNG.randint(0, 2, (6,)),
        "said": RNG.randint(0, 2, (6,)),
        "score": RNG.uniform(0, 1, (6,)).astype("f4"),
        "a": RNG.uniform(-1, 1, (6, 3)).astype("f4"),
        "b": RNG.uniform(-1, 1, (6, 3)).astype("f4"),
        "w": RNG.randint(0, 3, (6,)).astype("f4"),
        "ws": RNG.randint(0, 3, (6, 1)).astype("f4"),
        "scores": RNG.uniform(-1, 1, (6, 5)).astype("f4"),
        "several": np.stack([RNG.permutation(5)[:3] for _ in range(6)]),
    }
    for _ in range(3)
]
LEVELS = [0.2, 0.5, 0.9]


def cases(tf: Any) -> dict[str, Any]:
    """Return for each case a function from placeholders to what the metric returns."""
    m = tf.metrics
    found: dict[str, Any] = {
        "mean": lambda p: m.mean(p.a),
        "mean weights": lambda p: m.mean(p.a, p.ws, name="named"),
        "mean scalar weight": lambda p: m.mean(p.a, 2.0),
        "mean_tensor": lambda p: m.mean_tensor(p.a),
        "mean_tensor weights": lambda p: m.mean_tensor(p.a, p.ws),
        "accuracy": lambda p: m.accuracy(p.classes, p.guesses),
        "accuracy weights": lambda p: m.accuracy(p.classes, p.guesses, p.w),
        "accuracy column": lambda p: m.accuracy(p.classes, tf.expand_dims(p.guesses, 1), p.ws),
        "percentage_below": lambda p: m.percentage_below(p.a, 0.1, p.ws),
        "mean_absolute_error": lambda p: m.mean_absolute_error(p.a, p.b, p.ws),
        "mean_squared_error": lambda p: m.mean_squared_error(p.a, p.b),
        "root_mean_squared_error": lambda p: m.root_mean_squared_error(p.a, p.b, p.ws),
        "mean_relative_error": lambda p: m.mean_relative_error(p.a, p.b, tf.maximum(p.a, 0.0)),
        "mean_cosine_distance": lambda p: m.mean_cosine_distance(p.a, p.b, 1, p.ws),
        "mean_iou": lambda p: m.mean_iou(p.classes, p.guesses, 5),
        "mean_iou weights": lambda p: m.mean_iou(p.classes, p.guesses, 4, p.w),
        "mean_per_class_accuracy": lambda p: m.mean_per_class_accuracy(p.classes, p.guesses, 5),
        "mean_per_class_accuracy weights": lambda p: m.mean_per_class_accuracy(p.classes, p.guesses, 4, p.w),
        "sensitivity_at_specificity": lambda p: m.sensitivity_at_specificity(p.yes, p.score, 0.5, p.w),
        "specificity_at_sensitivity": lambda p: m.specificity_at_sensitivity(p.yes, p.score, 0.6, num_thresholds=50),
        "auc few": lambda p: m.auc(p.yes, p.score, num_thresholds=4),
        "auc weights": lambda p: m.auc(p.yes, p.score, p.w),
        "auc levels": lambda p: m.auc(p.yes, p.score, thresholds=[0.7, 0.3]),
        "average_precision_at_k": lambda p: m.average_precision_at_k(p.several, p.scores, 3),
        "average_precision_at_k weights": lambda p: m.average_precision_at_k(p.several, p.scores, 2, p.w),
        "precision_at_top_k": lambda p: m.precision_at_top_k(p.several, p.several[:, :2] % 3, 2),
        "recall_at_top_k": lambda p: m.recall_at_top_k(p.several, p.several[:, 1:2], 1),
        "precision_at_k one label": lambda p: m.precision_at_k(p.classes, p.scores, 2),
    }
    for name in ("true_positives", "false_negatives", "true_negatives", "false_positives"):
        found[name] = lambda p, name=name: getattr(m, name)(p.yes, p.said, p.w)
        found[f"{name}_at_thresholds"] = lambda p, name=name: getattr(m, f"{name}_at_thresholds")(
            p.yes, p.score, LEVELS, p.w
        )
    for name in ("precision", "recall"):
        found[name] = lambda p, name=name: getattr(m, name)(p.yes, p.said)
        found[f"{name} weights"] = lambda p, name=name: getattr(m, name)(p.yes, p.said, p.w)
        found[f"{name}_at_thresholds"] = lambda p, name=name: getattr(m, f"{name}_at_thresholds")(
            p.yes, p.score, LEVELS
        )
        found[f"{name}_at_k"] = lambda p, name=name: getattr(m, f"{name}_at_k")(p.several, p.scores, 3, weights=p.w)
        found[f"{name}_at_k class"] = lambda p, name=name: getattr(m, f"{name}_at_k")(
            p.several, p.scores, 3, class_id=2
        )
    for method in ("trapezoidal", "minoring", "majoring", "careful_interpolation"):
        for curve in ("ROC", "PR"):
            found[f"auc {curve} {method}"] = lambda p, c=curve, s=method: m.auc(
                p.yes, p.score, curve=c, summation_method=s
            )
    return found


class Placeholders:
    """A placeholder for each entry of a batch."""

    def __init__(self, tf: Any) -> None:
        for key, value in BATCHES[0].items():
            setattr(self, key, tf.placeholder(tf.as_dtype(value.dtype), value.shape))

    def feeds(self, batch: dict[str, Any]) -> dict[Any, Any]:
        """Return a feed dict."""
        return {getattr(self, key): value for key, value in batch.items()}


def results(tf: Any) -> dict[str, dict[str, Any]]:
    """Run every case; values as nested lists."""
    found = {}
    for name, build in cases(tf).items():
        with tf.Graph().as_default(), tf.Session() as session:
            p = Placeholders(tf)
            value, update = build(p)
            session.run(tf.local_variables_initializer())
            values = []
            for batch in BATCHES:
                values.append(session.run(update, p.feeds(batch)).tolist())
                values.append(session.run(value).tolist())
            found[name] = {"values": values, "variables": [v.name for v in tf.local_variables()]}
    return found
