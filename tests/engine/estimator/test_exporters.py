"""What exporters keep: the newest, or what is better than all before, as many as they are asked to."""

import os

import pytest

import millstream as tf


class Model:
    """Stands in for an Estimator: every export makes a folder named after how many there were before."""

    def __init__(self):
        self.made = 0

    def export_saved_model(self, folder, receiver, assets, as_text, checkpoint):
        self.made += 1
        path = os.path.join(folder, str(self.made + 8))
        os.makedirs(path)
        return path.encode()


def exported(exporter, folder, results):
    """Return what each evaluation exported, and which exports are left."""
    model = Model()
    paths = [exporter.export(model, str(folder), "model.ckpt-1", result, False) for result in results]
    return [path and os.path.basename(path.decode()) for path in paths], sorted(os.listdir(folder), key=int)


LOSSES = [{"loss": loss, "accuracy": 1 - loss} for loss in (0.5, 0.7, 0.4, 0.4, 0.1)]


def test_the_newest_are_kept(tmp_path):
    exporter = tf.estimator.LatestExporter("latest", lambda: None, exports_to_keep=2)
    assert exported(exporter, tmp_path, LOSSES) == (["9", "10", "11", "12", "13"], ["12", "13"])
    assert (
        len(
            exported(tf.estimator.LatestExporter("all", lambda: None, exports_to_keep=None), tmp_path / "all", LOSSES)[
                1
            ]
        )
        == 5
    )


def test_only_better_models_are_exported(tmp_path):
    assert exported(tf.estimator.BestExporter(exports_to_keep=2), tmp_path / "loss", LOSSES) == (
        ["9", None, "10", None, "11"], ["10", "11"],
    )  # fmt: skip
    worse = tf.estimator.BestExporter(
        compare_fn=lambda best_eval_result, current_eval_result: (
            current_eval_result["accuracy"] < best_eval_result["accuracy"]
        )
    )
    assert exported(worse, tmp_path / "accuracy", LOSSES)[0] == ["9", "10", None, None, None]


def test_what_exporters_refuse(tmp_path):
    with pytest.raises(ValueError, match="must be a positive number"):
        tf.estimator.LatestExporter("latest", lambda: None, exports_to_keep=0)
    with pytest.raises(ValueError, match="`compare_fn` must not be None"):
        tf.estimator.BestExporter(compare_fn=None)
    with pytest.raises(ValueError, match="no loss is found in it"):
        exported(tf.estimator.BestExporter(), tmp_path, [{"accuracy": 1.0}, {"accuracy": 2.0}])
    with pytest.raises(NotImplementedError, match="Exporter"):
        tf.estimator.Exporter().export(None, "", "", {}, True)


def test_hooks_stand_beside_estimators():
    assert tf.estimator.SessionRunHook is tf.train.SessionRunHook
    assert tf.estimator.tpu.TPUEstimator is tf.contrib.tpu.TPUEstimator
