"""`tf.contrib.learn`: the older estimators learn, measure and predict; monitors, experiments and tables work around them."""

import numpy as np
import pytest

import millstream as ms

learn = ms.contrib.learn
RNG = np.random.RandomState(3)
CLASSES = RNG.randint(0, 3, 90)
X = (RNG.randn(90, 2) * 0.2 + np.array([[0, 0], [2, 0], [0, 2]])[CLASSES]).astype(np.float32)
COLUMNS = [ms.contrib.layers.real_valued_column("", dimension=2)]


def constant_input():
    return ms.constant(X), ms.constant(CLASSES)


@pytest.mark.parametrize(
    "make",
    [
        lambda **k: learn.DNNClassifier(
            [8], COLUMNS, optimizer=ms.train.AdamOptimizer(0.05), gradient_clip_norm=5.0, **k
        ),
        lambda **k: learn.DNNLinearCombinedClassifier(
            linear_feature_columns=COLUMNS, dnn_feature_columns=COLUMNS, dnn_hidden_units=[8], **k
        ),
    ],
)
def test_classifiers_learn_from_arrays_and_from_functions(make, tmp_path):
    model = make(n_classes=3, model_dir=tmp_path)
    with pytest.raises(learn.NotFittedError, match="Couldn't find trained model at"):
        model.predict(X)
    assert model.fit(X, CLASSES, steps=60, batch_size=45) is model
    model.fit(input_fn=constant_input, steps=40)
    # A constant input would never end: it is gone through once.
    measured = model.evaluate(input_fn=constant_input)
    assert measured["accuracy"] > 0.95 and measured["global_step"] == 100
    classes = model.predict(X, as_iterable=False)
    assert np.mean(classes == CLASSES) > 0.95
    assert list(model.predict_classes(input_fn=lambda: X)) == list(classes)
    assert np.argmax(list(model.predict_proba(X)), 1).tolist() == classes.tolist()


def test_two_classes_have_the_older_metrics_and_names(tmp_path):
    model = learn.LinearClassifier(COLUMNS, label_keys=["no", "yes"], model_dir=tmp_path)
    model.fit(X, np.where(CLASSES > 0, "yes", "no"), steps=5)
    measured = model.evaluate(X, np.where(CLASSES > 0, "yes", "no"))
    assert set(measured) >= {
        "accuracy", "accuracy/baseline_label_mean", "accuracy/threshold_0.500000_mean", "auc", "global_step",
        "labels/actual_label_mean", "labels/prediction_mean", "loss", "precision/positive_threshold_0.500000_mean",
        "recall/positive_threshold_0.500000_mean",
    }  # fmt: skip
    assert set(model.predict(X)) <= {b"no", b"yes"}


def test_regressors(tmp_path):
    columns = learn.infer_real_valued_columns_from_input(X)
    for make in (
        lambda: learn.LinearRegressor(columns, optimizer=ms.train.AdamOptimizer(0.3)),
        lambda: learn.DNNRegressor([8], columns, optimizer=ms.train.AdamOptimizer(0.05)),
    ):
        model = make().fit(X, X.sum(1), steps=80)
        assert model.evaluate(X, X.sum(1))["loss"] < 0.1
        assert np.shape(list(model.predict(X))) == (90,)


def _older_model(features, targets, mode, params):
    out = ms.reshape(ms.contrib.layers.linear(features, 1), [-1])
    loss = ms.losses.mean_squared_error(targets, out)
    step = ms.contrib.layers.optimize_loss(loss, ms.train.get_global_step(), params["rate"], "Adam")
    ops = {"rmse": ms.metrics.root_mean_squared_error(targets, out)}
    return learn.ModelFnOps(mode, {"out": out}, loss, step, ops)


def test_own_models_compute_a_loss_whatever_the_mode_and_are_measured_as_asked(tmp_path):
    model = learn.Estimator(_older_model, tmp_path, params={"rate": 0.2})
    model.fit(X, X.sum(1), steps=60)
    asked = {
        "mse": learn.MetricSpec(ms.contrib.metrics.streaming_mean_squared_error, prediction_key="out"),
        ("mean", "out"): lambda predictions, labels: ms.reduce_mean(predictions - labels),
    }
    measured = model.evaluate(X, X.sum(1), metrics=asked)
    assert measured["rmse"] ** 2 == pytest.approx(measured["mse"], rel=1e-3)
    assert measured["loss"] == pytest.approx(measured["mse"], rel=1e-3) and abs(measured["mean"]) < 1
    assert [p["out"] for p in model.predict(X[:2])] == pytest.approx(X[:2].sum(1), abs=0.5)
    with pytest.raises(ValueError, match="a prediction_key among"):
        learn.MetricSpec(None, "none").create_metric_ops({}, None, {"a": 1, "b": 2})
    with pytest.raises(ValueError, match="does not have a params argument"):
        learn.Estimator(lambda features, labels: None, params={"rate": 1})
    triple = learn.SKCompat(learn.Estimator(lambda x, y: _older_model(x, y, "train", {"rate": 0.2})[1:4]))
    assert triple.fit(X, X.sum(1), steps=30).predict(X)["out"].shape == (90,)


def test_a_monitor_ends_the_training_that_gets_no_better(tmp_path):
    seen = []

    class Steps(learn.monitors.EveryN):
        def every_n_step_begin(self, step):
            return ["global_step:0"]

        def every_n_step_end(self, step, outputs):
            seen.append((step, int(outputs["global_step:0"])))
            return False

    monitor = learn.monitors.ValidationMonitor(
        X, CLASSES, every_n_steps=10, early_stopping_rounds=20, early_stopping_metric="accuracy",
        early_stopping_metric_minimize=False,
    )  # fmt: skip
    config = learn.RunConfig(save_checkpoints_steps=10, tf_random_seed=1)
    model = learn.DNNClassifier([8], COLUMNS, tmp_path, 3, optimizer=ms.train.AdamOptimizer(0.1), config=config)
    model.fit(X, CLASSES, steps=400, monitors=[monitor, Steps(every_n_steps=25)])
    assert monitor.early_stopped and monitor.best_metrics["accuracy"] > 0.9
    assert int(model.get_variable_value("global_step")) < 400
    assert [step for step, _ in seen][:2] == [1, 26]


def test_experiments(tmp_path):
    def experiment(run_config, hparams):
        model = ms.estimator.LinearClassifier(
            [ms.feature_column.numeric_column("x", [2])], n_classes=3, config=run_config
        )
        data = learn.io.numpy_input_fn({"x": X}, CLASSES, num_epochs=None)
        return learn.Experiment(model, data, data, train_steps=hparams.steps, eval_steps=2, min_eval_frequency=0)

    config, hparams = learn.RunConfig(model_dir=tmp_path), ms.contrib.training.HParams(steps=20)
    metrics, exports = learn.learn_runner.run(experiment, run_config=config, hparams=hparams)
    assert metrics["global_step"] == 20 and exports == []
    assert learn.learn_runner.run(experiment, run_config=config, hparams=hparams, schedule="evaluate")["accuracy"] > 0.5
    with pytest.raises(ValueError, match="non-existent task 'practise'; there are continuous_eval, "):
        learn.learn_runner.run(experiment, run_config=config, hparams=hparams, schedule="practise")
    with pytest.raises(TypeError, match="did not return an Experiment instance"):
        learn.learn_runner.run(lambda output_dir: None, output_dir=str(tmp_path))


def test_tables(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("2,3,a,b\n1,2,3,0\n4,5,6,1\n")
    found = learn.datasets.base.load_csv_with_header(str(path), np.int64, np.float32)
    assert found.data.tolist() == [[1, 2, 3], [4, 5, 6]] and found.target.tolist() == [0, 1]
    path.write_text("0,1,2\n1,3,4\n")
    found = learn.datasets.base.load_csv_without_header(str(path), np.int64, np.float64, target_column=0)
    assert found.data.tolist() == [[1, 2], [3, 4]] and found.target.tolist() == [0, 1]


def test_older_columns():
    layers = ms.contrib.layers
    words = layers.sparse_column_with_keys("word", ["a", "b"])
    age = layers.real_valued_column("age")
    ages = layers.bucketized_column(age, [30, 20])
    columns = [age, layers.one_hot_column(words), layers.embedding_column(words, 3), ages]
    features = {"age": ms.constant([[10.0], [40.0]]), "word": ms.constant([["a"], ["b"]])}
    made = layers.input_from_feature_columns(features, columns)
    wide, weights, bias = layers.weighted_sum_from_feature_columns(
        features,
        [words, ages, layers.crossed_column([words, ages], 10), layers.sparse_column_with_hash_bucket("word", 7)][:3],
        1,
    )
    with ms.Session() as session:
        session.run([ms.global_variables_initializer(), ms.tables_initializer()])
        assert session.run([made, wide, bias])[0].shape == (2, 1 + 3 + 3 + 2)
        assert len(weights) == 3
    assert sorted(layers.create_feature_spec_for_parsing(columns)) == ["age", "word"]
    for refused in (
        lambda: layers.real_valued_column("x", dimension=None),
        lambda: layers.sparse_column_with_keys("x", ["a"], combiner="sqrtn"),
        lambda: layers.sparse_column_with_integerized_feature("x", 3, dtype=ms.float32),
    ):
        with pytest.raises(ValueError, match="x"):
            refused()


@pytest.mark.parametrize("kind", ["DNNClassifier", "DNNRegressor"])
@pytest.mark.parametrize("option", [{"enable_centered_bias": True}, {"embedding_lr_multipliers": {"word": 0.1}}])
def test_what_would_train_otherwise_is_refused(kind, option):
    with pytest.raises(ValueError, match=f"{next(iter(option))} is not there"):
        getattr(ms.contrib.learn, kind)([4], [ms.contrib.layers.real_valued_column("x")], **option)
