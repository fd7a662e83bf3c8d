"""What keywords do that only programs show: scopes, collections, graphs, gradients, sessions, flags, files, tests.

Every program holds on TensorFlow, too: `call` calls names of either library, and remembers what it was given.
"""

from __future__ import annotations

import pathlib
import sys
from typing import Any

import numpy as np
import pytest

from .keywords import Caller, proves


def run(tf: Any, found: Any) -> Any:
    """Return values after initialisation."""
    with tf.Session() as session:
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        return session.run(found)


def colocations(op: Any) -> list[bytes]:
    """Return the names of the nodes that an operation stands with."""
    return sorted(op.colocation_groups())


@proves({"get_collection": "scope", "global_variables": "scope", "trainable_variables": "scope"})
def collections(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    kept = {name: tf.get_variable(f"{name}/v", [], trainable=name != "c") for name in "abc"}
    assert call("get_collection", "variables", scope="a") == [kept["a"]] == call("global_variables", scope="a/")
    assert call("trainable_variables", scope="[bc]/") == [kept["b"]] and call("trainable_variables", scope="c") == []


@proves({"colocate_with": "ignore_existing", "name_scope": "default_name values"})
def places(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    a, b = tf.Variable(1.0, name="a"), tf.Variable(1.0, name="b")
    with tf.colocate_with(a.op):
        with call("colocate_with", b.op, ignore_existing=True):
            alone = tf.constant(1.0)
        with call("colocate_with", b.op, ignore_existing=False):
            both = tf.constant(1.0)
    assert colocations(alone.op) == [b"loc:@b"] and colocations(both.op) == [b"loc:@a", b"loc:@b"]
    with (
        call("name_scope", None, default_name="usual", values=[a]) as first,
        call("name_scope", None, "usual") as second,
    ):
        assert (first, second) == ("usual/", "usual/usual/")
    with tf.Graph().as_default() as other:
        x = tf.constant(1.0)
    with call("name_scope", "in", values=[x]):
        assert tf.get_default_graph() is other


@proves({"gradients": "grad_ys name colocate_gradients_with_ops gate_gradients aggregation_method stop_gradients "
                      "unconnected_gradients"})  # fmt: skip
def gradients(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    x, other = tf.constant([1.0, 2.0]), tf.constant(3.0)
    with tf.device("/cpu:0"):
        y = tf.square(x, name="y")
    (weighted,) = call("gradients", y, x, grad_ys=tf.constant([1.0, 10.0]), name="named")
    assert weighted.op.name.startswith("named/y_grad/")
    (near,) = call("gradients", y, x, colocate_gradients_with_ops=True)
    assert colocations(near.op) == [b"loc:@y"] and b"loc:@y" not in colocations(weighted.op)
    z = tf.square(y)
    (held,) = call("gradients", z, x, stop_gradients=[y], unconnected_gradients=tf.UnconnectedGradients.ZERO)
    assert tf.gradients(z, x, stop_gradients=[y]) == [None]
    (nothing,) = call("gradients", y, other, unconnected_gradients="zero")
    p, q = call("gradients", tf.multiply(x, y), [x, y], gate_gradients=True)
    gated = [one for g in (p, q) for one in (g.op, *(i.op for i in g.op.inputs)) if one.control_inputs]
    assert gated
    many = tf.add_n([tf.square(x), tf.sin(x), tf.cos(x)])
    (summed,) = call("gradients", many, x)
    (tree,) = call("gradients", many, x, aggregation_method=tf.AggregationMethod.EXPERIMENTAL_TREE)
    assert "gradient_sum" in tree.op.name and "gradient_sum" not in summed.op.name
    found = run(tf, [weighted, near, held, nothing, p, summed - tree])
    for value, wanted in zip(found, [[2, 40], [2, 4], [0, 0], 0, [3, 12], [0, 0]], strict=True):
        np.testing.assert_allclose(value, wanted, atol=1e-6)


@proves({"graph_util.convert_variables_to_constants": "variable_names_whitelist variable_names_blacklist",
         "import_graph_def": "input_map return_elements name", "train.write_graph": "as_text"})  # fmt: skip
def graphs(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    a, b = tf.Variable(2.0, name="a"), tf.Variable(3.0, name="b")
    y = tf.multiply(tf.placeholder(tf.float32, [], name="x") * a, b, name="y")
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        frozen = [
            call("graph_util.convert_variables_to_constants", session, session.graph_def, [y.op.name], **only)
            for only in ({}, {"variable_names_whitelist": ["a"]}, {"variable_names_blacklist": ["a"]})
        ]
    kinds = [{n.name: n.op for n in each.node if n.name in "ab"} for each in frozen]
    assert kinds[0] == {"a": "Const", "b": "Const"}
    assert kinds[1]["a"] == kinds[2]["b"] == "Const" and kinds[1]["b"] == kinds[2]["a"] == "VariableV2"
    with tf.Graph().as_default():
        one = tf.constant(1.0)
        (found,) = call("import_graph_def", frozen[0], input_map={"x": one}, return_elements=["y:0"], name="in")
        assert found.name == "in/y:0" and run(tf, found) == 6.0
        call("import_graph_def", frozen[0], name="")
        assert tf.get_default_graph().get_tensor_by_name("y:0") is not None
    paths = [call("train.write_graph", tf.Graph(), str(folder), name, as_text=text) for name, text in
             (("a.pbtxt", True), ("b.pb", False))]  # fmt: skip
    assert b"versions {" in pathlib.Path(paths[0]).read_bytes()
    assert tf.GraphDef.FromString(pathlib.Path(paths[1]).read_bytes()).versions.producer > 0


@proves({"variable_scope": "default_name values initializer regularizer caching_device partitioner custom_getter reuse dtype "
                           "use_resource constraint auxiliary_name_scope",
         "Variable": "variable_def import_scope"})  # fmt: skip
def variable_scopes(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    def clipped(v: Any) -> Any:
        return tf.clip_by_value(v, 0.0, 0.5)

    with call("variable_scope", None, default_name="usual", values=[tf.constant(1.0)], initializer=tf.ones_initializer(),
              regularizer=lambda v: tf.reduce_sum(v) * 3.0, caching_device="/cpu:0", dtype=tf.float64,
              constraint=clipped) as scope:  # fmt: skip
        v = tf.get_variable("v", [2])
        assert (scope.name, v.name, v.dtype.base_dtype, v.constraint) == ("usual", "usual/v:0", tf.float64, clipped)
        assert "CPU:0" in v.value().device.upper() and run(tf, v).tolist() == [1.0, 1.0]
        assert run(tf, tf.losses.get_regularization_losses()) == [6.0]
    with call("variable_scope", "parts", partitioner=tf.fixed_size_partitioner(2)):
        assert len(list(tf.get_variable("v", [4]))) == 2
    with call("variable_scope", "own", custom_getter=lambda getter, name, *a, **k: getter(f"{name}_mine", *a, **k)):
        assert tf.get_variable("v", []).name == "own/v_mine:0"
    with call("variable_scope", "own", reuse=True):
        assert tf.get_variable("v_mine", []).name == "own/v_mine:0"
    with call("variable_scope", "handles", use_resource=True):
        assert tf.get_variable("v", []).handle.dtype == tf.resource
    with call("variable_scope", "flat", auxiliary_name_scope=False):
        assert tf.get_variable("v", []).name == "flat/v:0" and not tf.constant(1.0).op.name.startswith("flat")
    kept = tf.Variable(4.0, name="kept")
    again = call("Variable", variable_def=kept.to_proto())
    assert again.name == "kept:0" and again.initializer is kept.initializer
    with tf.Graph().as_default() as other:
        tf.import_graph_def(kept.graph.as_graph_def(), name="in")
        there = call("Variable", variable_def=kept.to_proto(), import_scope="in")
        assert there.name == "in/kept:0" and there.graph is other


@proves({f"layers.{name}": "reuse" for name in
         ("dense", "conv1d", "conv2d", "conv2d_transpose", "separable_conv2d", "batch_normalization")})  # fmt: skip
def shared_layers(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    image = np.ones([1, 4, 4, 2], "f")
    kernel = {"filters": 2, "kernel_size": 2}
    for name, given in {"dense": {"units": 2}, "conv1d": kernel, "conv2d": kernel, "conv2d_transpose": kernel,
                        "separable_conv2d": kernel, "batch_normalization": {}}.items():  # fmt: skip
        x = image[0] if name == "conv1d" else image
        first = call(f"layers.{name}", x, name=f"shared_{name}", **given)
        count = len(tf.global_variables())
        second = call(f"layers.{name}", x, name=f"shared_{name}", reuse=True, **given)
        assert len(tf.global_variables()) == count and np.array_equal(*run(tf, [first, second]))
        with pytest.raises(ValueError, match="exist"):
            call(f"layers.{name}", x, name=f"shared_{name}", **given)
        with pytest.raises(ValueError, match="exist"):
            call(f"layers.{name}", x, name=f"new_{name}", reuse=True, **given)


CELLS = ("BasicLSTMCell", "BasicRNNCell", "GRUCell", "LSTMCell")


@proves({**{f"nn.rnn_cell.{name}": "reuse" for name in CELLS}, "nn.rnn_cell.RNNCell": "trainable name dtype"})
def shared_cells(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    x = tf.ones([2, 3])
    for name in CELLS:
        cells = [call(f"nn.rnn_cell.{name}", num_units=3, name=name.lower(), reuse=reuse) for reuse in (None, True)]
        y, z = (cell(x, cell.zero_state(2, tf.float32))[0] for cell in cells)
        assert np.array_equal(*run(tf, [y, z]))
        with pytest.raises(ValueError, match="exist"):
            lone = call(f"nn.rnn_cell.{name}", num_units=3, name=f"lone_{name}", reuse=True)
            lone(x, lone.zero_state(2, tf.float32))

    class Scaled(tf.nn.rnn_cell.RNNCell):
        state_size = output_size = 3

        def build(self, shape: Any) -> None:
            self.scale = self.add_weight("scale", [], initializer=tf.ones_initializer())
            self.built = True

        def call(self, inputs: Any, state: Any) -> Any:
            return inputs * tf.cast(self.scale, inputs.dtype), state

    call.given |= {("nn.rnn_cell.RNNCell", keyword) for keyword in ("trainable", "name", "dtype")}
    cell = Scaled(trainable=False, name="scaled", dtype=tf.float64)
    cell(x, cell.zero_state(2, tf.float32))
    assert (cell.scale.name, cell.scale.dtype.base_dtype) == ("scaled/scale:0", tf.float64)
    assert cell.scale not in tf.trainable_variables() and cell.trainable_weights == []


@proves({"Session": "target graph config", "InteractiveSession": "target graph config"})
def sessions(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    server = tf.train.Server.create_local_server()
    with tf.Graph().as_default() as graph:
        x = tf.constant(2.0)
    config = tf.ConfigProto(device_count={"CPU": 2})
    for name in ("Session", "InteractiveSession"):
        session = call(name, graph=graph, config=config)
        assert session.graph is graph and session.run(x) == 2.0
        assert len([d for d in session.list_devices() if d.device_type == "CPU"]) == 2
        session.close()
        far = call(name, target=server.target, graph=graph)
        assert far.sess_str in (server.target, server.target.encode()) and far.run(x) == 2.0
        far.close()


@proves({f"flags.DEFINE_{kind}": "flag_values required" for kind in ("string",)}
        | {f"flags.DEFINE_{kind}": "flag_values module_name required" for kind in ("bool", "boolean")}
        | {f"flags.DEFINE_{kind}": "lower_bound upper_bound flag_values required" for kind in ("float", "integer")}
        | {"app.run": "main argv"})  # fmt: skip
def flags(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    values = type(tf.flags.FLAGS)() if not hasattr(tf.flags, "FlagValues") else tf.flags.FlagValues()
    wanted: dict[str, tuple[Any, str, Any]] = {
        "string": ("a", "b", "b"), "bool": (False, "true", True), "boolean": (False, "true", True), "float": (0.5, "1.5", 1.5),
        "integer": (1, "2", 2),
    }  # fmt: skip
    for kind, (default, _, _) in wanted.items():
        more = {"module_name": "a_module"} if kind in ("bool", "boolean") else {}
        call(f"flags.DEFINE_{kind}", f"my_{kind}", default, "Help.", flag_values=values, **more)
        call(f"flags.DEFINE_{kind}", f"must_{kind}", None, "Help.", flag_values=values, required=True)
        assert f"my_{kind}" not in tf.flags.FLAGS
    assert "my_bool" in {flag.name for flag in values.flags_by_module_dict()["a_module"]}
    for kind, below, above in (("float", 0.0, 1.0), ("integer", 0, 3)):
        call(f"flags.DEFINE_{kind}", f"least_{kind}", None, "Help.", flag_values=values, lower_bound=below)
        call(f"flags.DEFINE_{kind}", f"most_{kind}", None, "Help.", flag_values=values, upper_bound=above)
    given = [f"--{which}_{kind}={text}" for kind, (_, text, _) in wanted.items() for which in ("my", "must")]
    for wrong in (given[:-1], [*given, "--least_float=-1"], [*given, "--most_integer=4"]):
        with pytest.raises(Exception, match=r"must|lower|upper|least|most"):
            values(["program", *wrong])
        values.unparse_flags()
    values(["program", *given, "--least_integer=1", "--most_float=0.25"])
    assert [values[f"my_{kind}"].value for kind in wanted] == [value for _, _, value in wanted.values()]
    seen: list[Any] = []
    with pytest.raises(SystemExit):
        call("app.run", main=lambda argv: sys.exit(seen.append(argv)), argv=["program", "rest"])
    assert seen == [["program", "rest"]]


@proves({"gfile.Copy": "overwrite", "gfile.Rename": "overwrite", "gfile.GFile": "mode", "gfile.FastGFile": "mode",
         "gfile.Open": "mode"})  # fmt: skip
def files(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    names = [str(folder / name) for name in "abc"]
    for kind, name in zip(("GFile", "FastGFile", "Open"), names, strict=True):
        with call(f"gfile.{kind}", name, mode="w") as file:
            file.write("text")
        with call(f"gfile.{kind}", name, mode="a") as file:
            file.write(" more")
        with call(f"gfile.{kind}", name, mode="rb") as file:
            assert file.read() == b"text more"
        with pytest.raises(tf.errors.OpError), call(f"gfile.{kind}", name, "r") as file:
            file.write("no")
    for function in ("Copy", "Rename"):
        with pytest.raises(tf.errors.AlreadyExistsError):
            call(f"gfile.{function}", names[0], names[1])
        call(f"gfile.{function}", names[0], names[1], overwrite=True)
    assert not tf.gfile.Exists(names[0])


@proves(
    {
        "test.TestCase": "methodName",
        "test.is_gpu_available": "cuda_only min_cuda_compute_capability",
        "test.main": "argv",
    }
)
def testing(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    class Case(tf.test.TestCase):
        def test_one(self) -> None:
            pass

        def test_two(self) -> None:
            self.fail("two")

    call.given.add(("test.TestCase", "methodName"))
    assert Case(methodName="test_one").run().wasSuccessful() and not Case("test_two").run().wasSuccessful()
    assert call("test.is_gpu_available", cuda_only=True) is False
    assert call("test.is_gpu_available", min_cuda_compute_capability=(3, 0)) is False
    with pytest.raises(SystemExit) as ended:
        call("test.main", argv=["program", "--help"])
    assert ended.value.code in (0, 1)


@proves({"profiler.ProfileOptionBuilder": "options"})
def profiles(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    options = tf.profiler.ProfileOptionBuilder.time_and_memory()
    built = call("profiler.ProfileOptionBuilder", options=options).build()
    assert built["select"] == options["select"] != tf.profiler.ProfileOptionBuilder().build()["select"]
