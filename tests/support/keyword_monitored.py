"""What keywords do that only programs show: sessions that survive, and estimators."""

from __future__ import annotations

import pathlib
from collections import Counter
from typing import Any

import numpy as np
import pytest

from .keyword_programs import run
from .keywords import Caller, proves


@proves({"train.LoggingTensorHook": "every_n_iter every_n_secs at_end formatter", "train.StopAtStepHook":
         "num_steps last_step"})  # fmt: skip
def hooks(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    step = tf.train.get_or_create_global_step()
    count = tf.assign_add(step, 1)

    def logged(**given: Any) -> int:
        seen: list[Any] = []
        hook = call("train.LoggingTensorHook", {"step": step}, formatter=lambda values: str(seen.append(values["step"])),
                    **given)  # fmt: skip
        with tf.train.SingularMonitoredSession(hooks=[hook]) as session:
            for _ in range(6):
                session.run(count)
        return len(seen)

    assert (logged(every_n_iter=3), logged(every_n_iter=2, at_end=True), logged(at_end=True)) == (2, 4, 1)
    assert logged(every_n_secs=1000) == 1

    begin = step.assign(5)

    def stopped(**given: Any) -> int:
        with tf.train.SingularMonitoredSession(hooks=[call("train.StopAtStepHook", **given)]) as session:
            session.raw_session().run(begin)
            while not session.should_stop():
                found = session.run(count)
        return int(found)

    assert stopped(last_step=8) == 8 and stopped(num_steps=4) == 6


@proves({"train.Scaffold": "init_op init_feed_dict init_fn ready_op ready_for_local_init_op local_init_op summary_op saver "
         "copy_from_scaffold local_init_feed_dict"})  # fmt: skip
def scaffolds(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    x, y = tf.placeholder(tf.float32, []), tf.placeholder(tf.float32, [])
    v, w, local = tf.Variable(x, name="v"), tf.Variable(0.0, name="w"), tf.Variable(y, collections=["local_variables"])
    ready, local_ready = tf.report_uninitialized_variables([v], name="ready"), tf.report_uninitialized_variables([w])
    saver, summary = tf.train.Saver([v]), tf.summary.scalar("v", v)
    later = w.assign(3.0)
    given = {
        "init_op": tf.global_variables_initializer(), "init_feed_dict": {x: 2.0}, "ready_op": ready,
        "ready_for_local_init_op": local_ready, "local_init_op": tf.local_variables_initializer(),
        "local_init_feed_dict": {y: 4.0}, "summary_op": summary, "saver": saver,
    }  # fmt: skip
    scaffold = call("train.Scaffold", init_fn=lambda scaffold, session: session.run(later), **given)
    again = call("train.Scaffold", init_feed_dict={x: 5.0}, copy_from_scaffold=scaffold)
    assert again.saver is saver and again.summary_op is summary and again.ready_op is ready
    found = []
    for one in (scaffold, again):
        one.finalize()
        with tf.train.MonitoredSession(tf.train.ChiefSessionCreator(one)) as session:
            found.append(session.run([v, w, local]))
    assert found[0] == [2.0, 3.0, 4.0] and found[1][::2] == [5.0, 4.0]


@proves({"train.MonitoredTrainingSession": "master is_chief checkpoint_dir scaffold hooks chief_only_hooks save_checkpoint_secs "
         "save_summaries_steps save_summaries_secs config log_step_count_steps save_checkpoint_steps summary_dir "
         "max_wait_secs stop_grace_period_secs save_graph_def"})  # fmt: skip
def monitored(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    cpus: list[int] = []

    class Counting(tf.train.SessionRunHook):
        def after_create_session(self, session: Any, coord: Any) -> None:
            cpus.append(sum(device.device_type == "CPU" for device in session.list_devices()))

    def trained(steps: int = 6, hooks: Any = (), **given: Any) -> int:
        with tf.Graph().as_default():
            step = tf.train.get_or_create_global_step()
            count = tf.assign_add(step, 1)
            tf.summary.scalar("step", step)
            with call("train.MonitoredTrainingSession", hooks=[Counting(), *hooks], **given) as session:
                while not session.should_stop() and steps > 0:
                    last, steps = session.run(count), steps - 1
        return int(last)

    def saved(name: str) -> list[str]:
        return sorted(path.name.split(".")[0] for path in (folder / name).glob("model.ckpt-*.index"))

    def logged(path: pathlib.Path, what: str = "summary") -> int:
        return sum(
            e.WhichOneof("what") == what for f in path.glob("events*") for e in tf.train.summary_iterator(str(f))
        )

    a = str(folder / "a")
    trained(checkpoint_dir=a, save_checkpoint_steps=2, save_summaries_steps=3, log_step_count_steps=None)
    assert {"model", *saved("a")} == {"model"} and len(saved("a")) >= 3
    plain, graphs = logged(folder / "a"), logged(folder / "a", "graph_def")
    assert plain == 2 and graphs > 0
    trained(checkpoint_dir=str(folder / "b"), save_checkpoint_secs=1000, save_summaries_secs=1000, save_summaries_steps=None,
            summary_dir=str(folder / "s"), log_step_count_steps=2, save_graph_def=False)  # fmt: skip
    assert len(saved("b")) == 2 and logged(folder / "s") >= 2 and logged(folder / "b") == 0
    for pattern in ("graph.pbtxt", "*.meta"):
        assert not list((folder / "b").glob(pattern)) and list((folder / "a").glob(pattern))
    ended = [tf.train.StopAtStepHook(last_step=2)]
    assert trained(hooks=ended) == 2 == trained(chief_only_hooks=ended)
    target = tf.train.Server.create_local_server().target
    assert trained(hooks=ended, master=target, stop_grace_period_secs=5) == 2
    trained(1, config=tf.ConfigProto(device_count={"CPU": 2}))
    assert cpus[-1] == 2
    with tf.Graph().as_default():
        v = tf.Variable(1.0)
        with call("train.MonitoredTrainingSession", scaffold=tf.train.Scaffold(init_op=v.assign(7.0))) as session:
            assert session.run(v) == 7.0
    with tf.Graph().as_default():
        tf.Variable(1.0)
        with (
            pytest.raises(tf.errors.DeadlineExceededError),
            call("train.MonitoredTrainingSession", is_chief=False, max_wait_secs=0),
        ):
            pass


SUPERVISED = "graph ready_op ready_for_local_init_op is_chief init_op init_feed_dict local_init_op logdir summary_op saver " \
             "global_step save_summaries_secs save_model_secs recovery_wait_secs stop_grace_secs checkpoint_basename " \
             "session_manager summary_writer init_fn local_init_run_options"  # fmt: skip


@proves({"train.Supervisor": SUPERVISED, "train.Supervisor.stop": "threads close_summary_writer ignore_live_threads"})
def supervised(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [])
        v, step = tf.Variable(x, name="v"), tf.Variable(3, name="step")
        local, more = tf.Variable(5.0, collections=["local_variables"]), v.assign_add(1.0)
        given: dict[str, Any] = {
            "ready_op": tf.report_uninitialized_variables([v]), "ready_for_local_init_op": tf.report_uninitialized_variables([v]),
            "init_op": tf.global_variables_initializer(), "init_feed_dict": {x: 2.0}, "local_init_op": local.initializer,
            "summary_op": tf.summary.scalar("v", v), "saver": tf.train.Saver([v, step]), "global_step": step,
            "local_init_run_options": tf.RunOptions(timeout_in_ms=60000),
        }  # fmt: skip
    supervisor = call("train.Supervisor", graph=graph, logdir=str(folder / "a"), save_summaries_secs=0, save_model_secs=0,
                      recovery_wait_secs=1, stop_grace_secs=7, checkpoint_basename="mine", **given,
                      init_fn=lambda session: session.run(more))  # fmt: skip
    for name in ("ready_op", "init_op", "summary_op", "saver", "global_step"):
        assert getattr(supervisor, name) is given[name], name
    assert (supervisor.save_summaries_secs, supervisor.save_model_secs) == (0, 0)
    assert supervisor.save_path == str(folder / "a" / "mine")
    with supervisor.managed_session() as session:
        assert session.run([v, local]) == [3.0, 5.0]
        supervisor.saver.save(session, supervisor.save_path, global_step=step)
    assert list((folder / "a").glob("mine-3.index"))
    with tf.Graph().as_default() as other:
        tf.Variable(1.0)
        manager = tf.train.SessionManager(graph=other)
        with pytest.raises(ValueError, match="all Variables must have their device set"):
            call("train.Supervisor", graph=other, is_chief=False)
    with tf.Graph().as_default() as other:
        worker = call(
            "train.Supervisor", graph=other, is_chief=False, session_manager=manager, summary_writer=None, saver=None
        )
    assert not worker.is_chief and worker.session_manager is manager and worker.saver is None
    call.on(worker, "train.Supervisor.stop", threads=[], close_summary_writer=False, ignore_live_threads=True)
    assert worker.should_stop()


@proves({"train.Server": "job_name task_index protocol config start"})
def servers(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    cluster = tf.train.ClusterSpec({"local": ["localhost:0"]})
    config = tf.ConfigProto(device_count={"CPU": 2})
    server = call("train.Server", cluster, job_name="local", task_index=0, protocol="grpc", config=config, start=False)
    found = server.server_def
    assert (found.job_name, found.task_index, found.protocol) == ("local", 0, "grpc")
    assert found.default_session_config.device_count["CPU"] == 2
    with pytest.raises((ValueError, tf.errors.OpError)):
        call("train.Server", cluster, job_name="none", task_index=0)


RUN = (
    "model_dir tf_random_seed save_summary_steps save_checkpoints_steps save_checkpoints_secs session_config keep_checkpoint_max "
    "keep_checkpoint_every_n_hours log_step_count_steps device_fn session_creation_timeout_secs"
)
SPEC = (
    "predictions loss train_op eval_metric_ops export_outputs training_chief_hooks training_hooks scaffold evaluation_hooks "
    "prediction_hooks"
)


@proves({"estimator.RunConfig": RUN, "estimator.Estimator": "model_dir config params warm_start_from",
         "estimator.EstimatorSpec": SPEC,
         "estimator.Estimator.train": "hooks steps max_steps saving_listeners",
         "estimator.Estimator.evaluate": "steps hooks checkpoint_path name",
         "estimator.Estimator.predict": "predict_keys hooks checkpoint_path yield_single_examples",
         "estimator.inputs.numpy_input_fn": "y batch_size num_epochs shuffle queue_capacity num_threads"}, lost=True)  # fmt: skip
def estimators(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    data = np.arange(10, dtype="f")
    begun: list[str] = []
    seen: dict[str, Any] = {}
    listened: list[int] = []

    class Listening(tf.train.CheckpointSaverListener):
        def after_save(self, session: Any, global_step_value: int) -> None:
            listened.append(global_step_value)

    class Noted(tf.train.SessionRunHook):
        def __init__(self, name: str) -> None:
            self.name = name

        def begin(self) -> None:
            begun.append(self.name)

    def model(features: Any, labels: Any, mode: str, params: Any, config: Any) -> Any:
        seen.update(params=params, config=config, seed=tf.get_default_graph().seed)
        w = tf.get_variable("w", [], initializer=tf.constant_initializer(params["start"]))
        seen["device"] = w.device
        scaled = features["x"] * w
        loss = None if labels is None else tf.reduce_mean(tf.square(scaled - labels))
        train = (
            None
            if loss is None
            else tf.train.GradientDescentOptimizer(params["rate"]).minimize(loss, tf.train.get_global_step())
        )
        metrics = None if loss is None else {"off": tf.metrics.mean(scaled - labels)}
        tf.summary.scalar("w", w)
        output = tf.estimator.export.PredictOutput({"y": scaled})
        return call("estimator.EstimatorSpec", mode, predictions={"y": scaled}, loss=loss, train_op=train,
                    eval_metric_ops=metrics, export_outputs={"serving_default": output}, training_chief_hooks=[Noted("chief")],
                    training_hooks=[Noted("train")], evaluation_hooks=[Noted("evaluate")], prediction_hooks=[Noted("predict")],
                    scaffold=tf.train.Scaffold(saver=tf.train.Saver(max_to_keep=2)))  # fmt: skip

    def inputs(**given: Any) -> Any:
        return call("estimator.inputs.numpy_input_fn", {"x": data}, **{"y": 2 * data, "shuffle": False, **given})

    config = call("estimator.RunConfig", model_dir=str(folder / "a"), tf_random_seed=5, save_summary_steps=2,
                  save_checkpoints_steps=2, keep_checkpoint_max=2, keep_checkpoint_every_n_hours=100, log_step_count_steps=3,
                  session_config=tf.ConfigProto(device_count={"CPU": 1}), device_fn=lambda op: "/cpu:0",
                  session_creation_timeout_secs=60)  # fmt: skip
    params = {"start": 1.0, "rate": 0.001}
    estimator = call("estimator.Estimator", model, config=config, params=params)
    path = "estimator.Estimator.train"
    call.on(
        estimator,
        path,
        inputs(num_epochs=None, batch_size=10),
        steps=5,
        hooks=[Noted("own")],
        saving_listeners=[Listening()],
    )
    call.on(estimator, path, inputs(num_epochs=None), max_steps=5)
    assert "own" in begun and listened
    assert seen["params"] == params and seen["config"].save_summary_steps == 2 and seen["seed"] == 5
    assert "CPU:0" in seen["device"].upper() and {"chief", "train"} <= set(begun)
    kept = sorted(path.name for path in (folder / "a").glob("*.index"))
    assert kept == ["model.ckpt-4.index", "model.ckpt-5.index"]
    (events,) = (folder / "a").glob("events*")
    steps = [
        e.step
        for e in tf.train.summary_iterator(str(events))
        if e.HasField("summary") and e.summary.value[0].tag == "w_1"
    ]
    assert steps == [1, 3, 5], steps
    first = str(folder / "a" / "model.ckpt-4")
    found = call.on(estimator, "estimator.Estimator.evaluate", inputs(num_epochs=None), steps=1, hooks=[Noted("more")],
                    checkpoint_path=first, name="named")  # fmt: skip
    assert found["global_step"] == 4 and "more" in begun and list((folder / "a" / "eval_named").iterdir())
    found = estimator.evaluate(inputs(num_epochs=1, batch_size=5, queue_capacity=7, num_threads=1))
    assert found["global_step"] == 5 and found["off"] < 0 and "evaluate" in begun
    guesses = [p["y"] for p in estimator.predict(inputs(y=None, num_epochs=2, batch_size=3))]
    assert len(guesses) == 20 and "predict" in begun
    whole = next(call.on(estimator, "estimator.Estimator.predict", inputs(y=None), predict_keys=["y"], hooks=[Noted("last")],
                         checkpoint_path=first, yield_single_examples=False))  # fmt: skip
    assert list(whole) == ["y"] and whole["y"].shape == (10,) and "last" in begun and whole["y"][1] != guesses[1]
    warm = call("estimator.Estimator", model, model_dir=str(folder / "b"), params=params, warm_start_from=str(folder / "a"),
                config=call("estimator.RunConfig", save_checkpoints_secs=1000))  # fmt: skip
    warm.train(inputs(num_epochs=1), steps=1)
    assert (
        warm.model_dir == str(folder / "b") and warm.get_variable_value("w") > estimator.get_variable_value("w") > 1.0
    )
    with tf.Graph().as_default():
        tf.set_random_seed(1)
        mixed, _ = inputs(shuffle=True, batch_size=10)()
        with tf.train.SingularMonitoredSession() as session:
            values = session.run(mixed["x"]).tolist()
    assert values != data.tolist() and sorted(values) == data.tolist()


DNN = "model_dir n_classes weight_column label_vocabulary optimizer activation_fn dropout config " \
      "warm_start_from loss_reduction batch_norm"  # fmt: skip


@proves({"estimator.DNNClassifier": DNN}, lost=True)
def classifiers(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    features = {"x": np.random.RandomState(0).randn(12, 2).astype("f"), "w": np.full(12, 2.0, "f")}
    columns = [tf.feature_column.numeric_column("x", 2)]

    def made(labels: Any = None, value: bool = False, **given: Any) -> tuple[dict[str, Any], Counter[str], Any]:
        """Return the model's variables' shapes, its counts of ops by type, and its loss."""
        labels = np.arange(12) % 2 if labels is None else labels
        classifier = call("estimator.DNNClassifier", [3], columns, **given)
        with tf.Graph().as_default() as graph:
            graph.seed = 1
            fed = {key: tf.constant(x) for key, x in features.items()}
            spec = classifier.model_fn(fed, tf.constant(labels), tf.estimator.ModeKeys.TRAIN, classifier.config)
            shapes = {v.op.name: v.shape.as_list() for v in tf.global_variables()}
            return shapes, Counter(op.type for op in graph.get_operations()), run(tf, spec.loss) if value else None

    shapes, types, loss = made(value=True, config=tf.estimator.RunConfig(tf_random_seed=1))
    assert made(np.arange(12) % 3, n_classes=3)[0]["dnn/logits/kernel"] == [3, 3] != shapes["dnn/logits/kernel"]
    np.testing.assert_allclose(made(value=True, weight_column="w")[2], 2 * loss, rtol=1e-5)
    mean = made(value=True, loss_reduction=tf.losses.Reduction.MEAN, optimizer=tf.train.GradientDescentOptimizer(0.1))
    np.testing.assert_allclose(mean[2] * 12, loss, rtol=1e-5)
    assert any("Adagrad" in name for name in shapes) and not any("Adagrad" in name for name in mean[0])
    words = np.array(["no", "yes"] * 6)
    assert made(words, label_vocabulary=["no", "yes"])[0] == shapes
    with pytest.raises(ValueError, match="integer"):
        made(words)
    assert "Tanh" in made(activation_fn=tf.nn.tanh)[1] - types and "RandomUniform" in made(dropout=0.5)[1] - types
    assert any("batchnorm" in name for name in made(batch_norm=True)[0].keys() - shapes.keys())
    inputs = tf.estimator.inputs.numpy_input_fn(features, np.arange(12) % 2, 12, shuffle=False, num_epochs=None)
    base = call("estimator.DNNClassifier", [3], columns, model_dir=str(folder / "base")).train(inputs, steps=1)
    still = tf.train.GradientDescentOptimizer(0.0)
    warm = call("estimator.DNNClassifier", [3], columns, warm_start_from=str(folder / "base"), optimizer=still)
    kernels = [each.get_variable_value("dnn/hiddenlayer_0/kernel") for each in (base, warm.train(inputs, steps=1))]
    assert base.model_dir == str(folder / "base") and np.array_equal(*kernels)


@proves({"estimator.DNNClassifier": "input_layer_partitioner"}, lost=True)
def parted(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    made: list[str] = []

    class Noting(tf.train.SessionRunHook):
        def begin(self) -> None:
            made.extend(v.op.name for v in tf.trainable_variables())

    kinds = tf.feature_column.categorical_column_with_identity("x", 8)
    columns, halves = [tf.feature_column.embedding_column(kinds, 2)], tf.fixed_size_partitioner(2)
    inputs = tf.estimator.inputs.numpy_input_fn({"x": np.arange(8)}, np.arange(8) % 2, 8, shuffle=False)
    estimators = [
        call("estimator.DNNClassifier", [3], columns, input_layer_partitioner=halves),
        tf.estimator.LinearClassifier([kinds], partitioner=halves),
        tf.estimator.DNNLinearCombinedClassifier(
            linear_feature_columns=[kinds],
            dnn_feature_columns=columns,
            dnn_hidden_units=[3],
            input_layer_partitioner=halves,
        ),
    ]
    for estimator in estimators:
        estimator.train(inputs, steps=1, hooks=[Noting()])
    parts = [name for name in made if "part_1" in name]
    assert len(parts) >= 4 and not any("hiddenlayer" in name for name in parts)


@proves({"feature_column.numeric_column": "shape default_value dtype normalizer_fn"})
def columns(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    column = call("feature_column.numeric_column", "x", shape=(2,), default_value=7.0, dtype=tf.float64,
                  normalizer_fn=lambda x: x * 10)  # fmt: skip
    spec = tf.feature_column.make_parse_example_spec([column])["x"]
    assert (list(spec.shape), spec.dtype, list(spec.default_value)) == ([2], tf.float64, [7.0, 7.0])
    dense = tf.feature_column.input_layer({"x": tf.constant([[1.0, 2.0]], tf.float64)}, [column])
    with tf.Session() as session:
        assert session.run(dense).tolist() == [[10.0, 20.0]]
