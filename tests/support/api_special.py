"""Calls, with every keyword, of what needs files, sessions or a block of code: a small program for each name.

A program takes a folder of its own; `SPECIAL` maps names to them, `UNCALLED` says why a name is not called at all.
"""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import millstream as tf

from .api_calls import call, run

SPECIAL: dict[str, Callable[[pathlib.Path], Any]] = {}

UNCALLED = {
    "GraphKeys": "a class of names",
    "Tensor": "made by ops only",
    "Summary.Value": "a part of tf.Summary, called there",
    "errors.NotFoundError": "raised, and called with TensorFlow's arguments in tests of errors",
    "errors.OutOfRangeError": "raised, and called with TensorFlow's arguments in tests of errors",
    "keras.datasets.mnist.load_data": "reads files that the tests of the examples write",
    "test.Benchmark": "a class to inherit from",
    "logging.fatal": "ends the process in TensorFlow 1",
}


def special(*names: str) -> Callable[[Callable[[pathlib.Path], Any]], Callable[[pathlib.Path], Any]]:
    """Enter a program as the one that calls `names`."""

    def enter(function: Callable[[pathlib.Path], Any]) -> Callable[[pathlib.Path], Any]:
        for name in names:
            assert name not in SPECIAL, name
            SPECIAL[name] = function
        return function

    return enter


@special("ConfigProto", "GPUOptions", "OptimizerOptions", "RunOptions", "RunMetadata", "Session", "Graph")
def sessions(folder: pathlib.Path) -> None:
    graph = call("Graph")
    with graph.as_default():
        x = tf.constant(1.0)
    options = tf.GPUOptions(per_process_gpu_memory_fraction=0.5, allow_growth=True, visible_device_list="")
    config = tf.ConfigProto(
        device_count={"GPU": 0}, intra_op_parallelism_threads=1, inter_op_parallelism_threads=1, gpu_options=options,
        allow_soft_placement=True, log_device_placement=False,
        graph_options=tf.GraphOptions(
            optimizer_options=tf.OptimizerOptions(opt_level=tf.OptimizerOptions.L0, do_function_inlining=False)
        ),
    )  # fmt: skip
    with call("Session", graph=graph, config=config) as session:
        metadata = tf.RunMetadata()
        trace = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE, timeout_in_ms=60000)
        assert session.run(fetches=x, feed_dict=None, options=trace, run_metadata=metadata) == 1.0
    assert metadata.step_stats.dev_stats


@special("InteractiveSession", "get_default_session", "get_default_graph", "reset_default_graph")
def interactive(folder: pathlib.Path) -> None:
    session = call("InteractiveSession", graph=None, config=tf.ConfigProto())
    assert call("get_default_session") is session and call("get_default_graph") is session.graph
    assert tf.constant(2.0).eval() == 2.0
    session.close()


@special("GraphDef", "import_graph_def", "train.write_graph", "graph_util.convert_variables_to_constants")
def graphs(folder: pathlib.Path) -> None:
    x = tf.placeholder(tf.float32, [], name="x")
    y = tf.multiply(x, tf.Variable(3.0), name="y")
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        frozen = call(
            "graph_util.convert_variables_to_constants", sess=session, input_graph_def=session.graph_def,
            output_node_names=[y.op.name],
        )  # fmt: skip
    path = call("train.write_graph", graph_or_graph_def=frozen, logdir=str(folder), name="g.pb", as_text=False)
    read = tf.GraphDef()
    read.ParseFromString(pathlib.Path(path).read_bytes())
    with tf.Graph().as_default():
        (found,) = call(
            "import_graph_def", graph_def=read, input_map={"x": tf.constant(2.0)}, return_elements=["y:0"], name="in"
        )
        assert run(found) == [6.0]


@special("TensorShape", "placeholder", "sparse_placeholder")
def shapes(folder: pathlib.Path) -> None:
    shape = call("TensorShape", dims=[None, 2])
    x = call("placeholder", dtype=tf.float32, shape=shape)
    sparse = call("sparse_placeholder", dtype=tf.float32, shape=[2, 2])
    with tf.Session() as session:
        value = tf.SparseTensorValue([[0, 1]], np.float32([2.0]), [2, 2])
        found = session.run([x, sparse], {x: [[1.0, 2.0]], sparse: value})
    assert found[0].shape == (1, 2) and found[1].values == [2.0]


@special(
    "global_variables_initializer", "local_variables_initializer", "initialize_all_variables", "all_variables",
    "global_variables", "trainable_variables", "variables_initializer", "add_to_collection", "get_collection",
)  # fmt: skip
def variables(folder: pathlib.Path) -> None:
    v = tf.Variable(1.0)
    call("add_to_collection", name="mine", value=v)
    assert call("get_collection", key="mine") == [v] == call("all_variables") == call("global_variables")
    assert call("trainable_variables") == [v]
    run([call("global_variables_initializer"), call("local_variables_initializer"), call("initialize_all_variables")])
    run(call("variables_initializer", var_list=[v]))


@special("variable_scope", "get_variable_scope", "name_scope", "device", "colocate_with", "control_dependencies")
def scopes(folder: pathlib.Path) -> None:
    with call("variable_scope", name_or_scope="outer", initializer=tf.ones_initializer()) as scope:
        assert call("get_variable_scope") is scope
        v = tf.get_variable("v", [2])
    with call("name_scope", name="named", values=[v]) as name, call("device", device_name_or_function="/cpu:0"):
        assert name == "named/"
        with call("colocate_with", op=v.op), call("control_dependencies", control_inputs=[v.initializer]):
            y = tf.constant(1.0) + 1.0
    assert run(y) == [2.0]


@special("gradients", "einsum", "group", "set_random_seed", "disable_v2_behavior")
def small(folder: pathlib.Path) -> None:
    call("disable_v2_behavior")
    call("set_random_seed", seed=1)
    x = tf.constant([1.0, 2.0])
    y = tf.einsum("i,i->", x, x, name="named")
    (g,) = call(
        "gradients", ys=y, xs=x, grad_ys=[tf.constant(2.0)], colocate_gradients_with_ops=True, gate_gradients=True,
        aggregation_method=tf.AggregationMethod.ADD_N, stop_gradients=[],
    )  # fmt: skip
    np.testing.assert_allclose(run([g, tf.group(g, name="named")])[0], [4.0, 8.0])


@special("contrib.framework.arg_scope", "contrib.slim.arg_scope", "contrib.training.HParams")
def contrib(folder: pathlib.Path) -> None:
    slim = tf.contrib.slim
    with (
        slim.arg_scope([slim.fully_connected], activation_fn=None),
        tf.contrib.framework.arg_scope([slim.dropout], keep_prob=1.0),
    ):
        run(slim.dropout(slim.fully_connected(tf.ones([2, 3]), 4)))
    hparams = call("contrib.training.HParams", rate=0.1, layers=[1, 2])
    assert hparams.parse("rate=0.2").rate == 0.2 and hparams.layers == [1, 2]


@special(
    "flags.DEFINE_bool", "flags.DEFINE_boolean", "flags.DEFINE_float", "flags.DEFINE_integer", "flags.DEFINE_string",
    "flags.FLAGS", "app.flags.DEFINE_boolean", "app.flags.DEFINE_float", "app.flags.DEFINE_integer",
    "app.flags.DEFINE_string", "app.flags.FLAGS", "app.run",
)  # fmt: skip
def flags(folder: pathlib.Path) -> None:
    for space in ("flags", "app.flags"):
        for kind, value in {"bool": True, "boolean": True, "float": 0.5, "integer": 3, "string": "a"}.items():
            name = f"{space.replace('.', '_')}_{kind}_of_calls"
            call(f"{space}.DEFINE_{kind}", name=name, default=value, help="What it is for.")
            tf.app.flags.FLAGS([sys.argv[0]])
            assert getattr(tf.flags.FLAGS, name) == value
            delattr(tf.flags.FLAGS, name)
    with pytest.raises(SystemExit):
        call("app.run", main=lambda argv: sys.exit(0), argv=["program"])


@special(
    "gfile.Copy", "gfile.DeleteRecursively", "gfile.Exists", "gfile.FastGFile", "gfile.GFile", "gfile.Glob",
    "gfile.MakeDirs", "gfile.Open", "gfile.Remove", "gfile.Rename", "read_file",
)  # fmt: skip
def files(folder: pathlib.Path) -> None:
    inner = str(folder / "a" / "b")
    call("gfile.MakeDirs", dirname=inner)
    for number, kind in enumerate(("GFile", "FastGFile", "Open")):
        with call(f"gfile.{kind}", name=f"{inner}/{number}", mode="w") as file:
            file.write("text")
    call("gfile.Copy", oldpath=f"{inner}/0", newpath=f"{inner}/3", overwrite=True)
    call("gfile.Rename", oldname=f"{inner}/1", newname=f"{inner}/4", overwrite=True)
    call("gfile.Remove", filename=f"{inner}/2")
    assert sorted(pathlib.Path(p).name for p in call("gfile.Glob", filename=f"{inner}/*")) == ["0", "3", "4"]
    assert run(call("read_file", filename=f"{inner}/0")) == [b"text"]
    call("gfile.DeleteRecursively", dirname=str(folder / "a"))
    assert not call("gfile.Exists", filename=inner)


@special("logging.debug", "logging.info", "logging.warn", "logging.warning", "logging.error", "logging.set_verbosity")
def messages(folder: pathlib.Path) -> None:
    level = tf.logging.get_verbosity()
    call("logging.set_verbosity", v=tf.logging.ERROR)
    for name in ("debug", "info", "warn", "warning", "error"):
        resolve_and_log = getattr(tf.logging, name)
        resolve_and_log("step %d", 3)
    tf.logging.set_verbosity(level)


@special(
    "Summary", "summary.FileWriter", "summary.merge", "summary.merge_all", "train.summary_iterator",
)  # fmt: skip
def summaries(folder: pathlib.Path) -> None:
    tf.summary.scalar("loss", 1.5)
    merged = [call("summary.merge_all"), call("summary.merge", inputs=tf.get_collection(tf.GraphKeys.SUMMARIES))]
    writer = call("summary.FileWriter", logdir=str(folder), graph=tf.get_default_graph(), filename_suffix=".end")
    for value in run(merged):
        writer.add_summary(summary=value, global_step=1)
    writer.add_summary(tf.Summary(value=[tf.Summary.Value(tag="own", simple_value=2.5)]), 2)
    writer.close()
    (path,) = folder.iterdir()
    values = [v for event in call("train.summary_iterator", path=str(path)) for v in event.summary.value]
    assert [v.tag for v in values] == ["loss", "loss", "own"]


@special(
    "train.Saver", "train.NewCheckpointReader", "train.get_checkpoint_state", "train.latest_checkpoint",
    "train.list_variables", "train.import_meta_graph", "train.init_from_checkpoint",
)  # fmt: skip
def checkpoints(folder: pathlib.Path) -> None:
    v = tf.get_variable("v", initializer=3.0)
    saver = call("train.Saver", var_list=[v], max_to_keep=2)
    with tf.Session() as session:
        session.run(v.initializer)
        path = saver.save(
            sess=session, save_path=str(folder / "model"), global_step=7, latest_filename=None, meta_graph_suffix="meta",
            write_meta_graph=True, write_state=True, strip_default_attrs=False,
        )  # fmt: skip
        saver.restore(sess=session, save_path=path)
    assert call("train.latest_checkpoint", checkpoint_dir=str(folder)) == path
    assert call("train.get_checkpoint_state", checkpoint_dir=str(folder)).model_checkpoint_path == path
    assert call("train.list_variables", ckpt_dir_or_file=path) == [("v", [])]
    assert call("train.NewCheckpointReader", filepattern=path).get_tensor("v") == 3.0
    with tf.Graph().as_default(), tf.Session() as session:
        call("train.import_meta_graph", meta_graph_or_file=f"{path}.meta", clear_devices=True).restore(session, path)
        assert session.run("v:0") == 3.0
    with tf.Graph().as_default():
        other = tf.get_variable("other", [])
        call("train.init_from_checkpoint", ckpt_dir_or_file=path, assignment_map={"v": "other"})
        assert run(other) == [3.0]


@special(
    "train.ExponentialMovingAverage", "train.Optimizer", "train.create_global_step", "train.get_global_step",
    "train.get_or_create_global_step", "train.global_step", "train.replica_device_setter",
)  # fmt: skip
def training(folder: pathlib.Path) -> None:
    step = call("train.create_global_step")
    assert call("train.get_global_step") is step is call("train.get_or_create_global_step")
    v = tf.get_variable("v", initializer=3.0)
    average = call("train.ExponentialMovingAverage", decay=0.9, num_updates=step, zero_debias=True)
    applied = average.apply(var_list=[v])
    assert call("train.Optimizer", use_locking=False, name="named").get_name() == "named"
    optimizer = tf.train.GradientDescentOptimizer(0.1)
    pairs = optimizer.compute_gradients(
        loss=tf.square(v), var_list=[v], gate_gradients=optimizer.GATE_OP, aggregation_method=None,
        colocate_gradients_with_ops=False, grad_loss=None,
    )  # fmt: skip
    train = optimizer.apply_gradients(grads_and_vars=pairs, global_step=step, name="named")
    again = optimizer.minimize(
        loss=tf.square(v), global_step=step, var_list=[v], gate_gradients=optimizer.GATE_NONE, aggregation_method=None,
        colocate_gradients_with_ops=True, name="again", grad_loss=None,
    )  # fmt: skip
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(train)
        session.run([again, applied])
        assert call("train.global_step", sess=session, global_step_tensor=step) == 2
    with tf.device(call("train.replica_device_setter", ps_tasks=1)):
        assert "ps" in tf.get_variable("far", []).device


@special("profiler.ProfileOptionBuilder")
def profiles(folder: pathlib.Path) -> None:
    builder = call("profiler.ProfileOptionBuilder", options=tf.profiler.ProfileOptionBuilder.time_and_memory())
    assert builder.with_empty_output().build()["output"] == "none"


@special("test.TestCase", "test.get_temp_dir", "test.is_built_with_cuda", "test.is_gpu_available", "test.main")
def testing(folder: pathlib.Path) -> None:
    case = call("test.TestCase", methodName="run")
    with case.test_session(graph=None, config=None, use_gpu=False, force_gpu=False):
        case.assertAllClose(a=tf.constant([1.0]).eval(), b=[1.0], rtol=1e-6, atol=1e-6, msg=None)
    assert pathlib.Path(call("test.get_temp_dir")).is_dir()
    assert call("test.is_built_with_cuda") in (True, False) and call("test.is_gpu_available") in (True, False)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(sys, "argv", ["program", "--help"])
        call("test.main")


@special("nn.rnn_cell.RNNCell")
def own_cell(folder: pathlib.Path) -> None:
    class Twice(tf.nn.rnn_cell.RNNCell):
        state_size = output_size = 2

        def call(self, inputs: Any, state: Any) -> Any:
            return inputs * 2.0, state

    cell = Twice(trainable=True, name="named", dtype=tf.float32)
    assert run(tf.nn.dynamic_rnn(cell, tf.ones([1, 3, 2]), dtype=tf.float32)[0])[0].sum() == 12.0


@special(
    "keras.Model", "keras.backend.ctc_label_dense_to_sparse", "keras.backend.epsilon", "keras.layers.Flatten",
    "keras.layers.Input", "keras.layers.MaxPooling2D",
)  # fmt: skip
def keras(folder: pathlib.Path) -> None:
    layers = tf.keras.layers
    x = layers.Input(shape=(4, 4, 1), batch_size=None, name="pictures", dtype="float32")
    y = layers.Flatten(data_format=None)(
        layers.MaxPooling2D(pool_size=(2, 2), strides=None, padding="valid", data_format=None)(x)
    )
    model = tf.keras.Model(inputs=x, outputs=y)
    assert isinstance(model, tf.keras.Model) and y.shape.as_list() == [None, 4] and tf.keras.backend.epsilon() == 1e-7
    sparse = tf.keras.backend.ctc_label_dense_to_sparse(labels=np.int32([[1, 2, 0]]), label_lengths=np.int32([2]))
    assert list(run(sparse)[0].values) == [1, 2]


@special(
    "saved_model.builder.SavedModelBuilder", "saved_model.signature_def_utils.build_signature_def",
    "saved_model.utils.build_tensor_info",
)  # fmt: skip
def saved_models(folder: pathlib.Path) -> None:
    x = tf.placeholder(tf.float32, [], name="x")
    y = tf.add(x, tf.Variable(1.0), name="y")
    info = tf.saved_model.utils.build_tensor_info
    signature = tf.saved_model.signature_def_utils.build_signature_def(
        inputs={"x": info(x)},
        outputs={"y": info(y)},
        method_name=tf.saved_model.signature_constants.PREDICT_METHOD_NAME,
    )
    path = str(folder / "model")
    builder = tf.saved_model.builder.SavedModelBuilder(path)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        builder.add_meta_graph_and_variables(
            session, [tf.saved_model.tag_constants.SERVING], signature_def_map={"serving_default": signature},
            assets_collection=None, clear_devices=True, strip_default_attrs=False, saver=None,
        )  # fmt: skip
        builder.save(as_text=False)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.saved_model.loader.load(session, ["serve"], path)
        assert session.run("y:0", {"x:0": 2.0}) == 3.0
