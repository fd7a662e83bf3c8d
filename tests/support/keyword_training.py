"""What keywords do that only programs show: savers, averages, steps, summaries, monitored sessions and estimators."""

from __future__ import annotations

import pathlib
import time
from typing import Any

import numpy as np
import pytest

from .keywords import Caller, proves

SAVER = (
    "var_list reshape sharded max_to_keep keep_checkpoint_every_n_hours name saver_def defer_build allow_empty "
    "pad_step_number save_relative_paths filename"
)


@proves({"train.Saver": SAVER, "train.latest_checkpoint": "latest_filename", "train.get_checkpoint_state": "latest_filename",
         "train.import_meta_graph": "clear_devices import_scope"})  # fmt: skip
def savers(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    with tf.device("/cpu:0"):
        a = tf.Variable([1.0, 2.0], name="a")
    b = tf.Variable(3.0, name="b")
    path = str(folder / "model")
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        few = call("train.Saver", var_list={"other": a}, max_to_keep=2, pad_step_number=True, save_relative_paths=True,
                   name="named", keep_checkpoint_every_n_hours=1e-9, filename="given")  # fmt: skip
        few.as_saver_def()
        time.sleep(0.01)
        made = [few.save(session, path, step, latest_filename="mine") for step in (1, 2, 3)]
        assert made[0] == f"{path}-00000001" and few.saver_def.filename_tensor_name.startswith("named/")
        assert all(tf.train.checkpoint_exists(one) for one in made), "kept, as every hour is over"
        assert tf.train.list_variables(made[2]) == [("other", [2])]
        assert 'model_checkpoint_path: "model-00000003"' in (folder / "mine").read_text()
        assert call("train.latest_checkpoint", str(folder), latest_filename="mine") == made[2]
        assert call("train.latest_checkpoint", str(folder)) is None
        state = call("train.get_checkpoint_state", str(folder), latest_filename="mine")
        assert len(state.all_model_checkpoint_paths) == 2
        forgetful = call("train.Saver", max_to_keep=1)
        kept = [forgetful.save(session, str(folder / "other"), step) for step in (1, 2)]
        assert [tf.train.checkpoint_exists(one) for one in kept] == [False, True]
        parts = call("train.Saver", sharded=True)
        parts.save(session, str(folder / "parts"))
        assert list(folder.glob("parts.data-00001-of-00002"))
        call("train.Saver", saver_def=few.as_saver_def()).restore(session, made[2])
        late = call("train.Saver", defer_build=True)
        with pytest.raises(RuntimeError):
            late.save(session, str(folder / "late"))
        late.build()
        late.save(session, str(folder / "late"))
        late.export_meta_graph(str(folder / "graph.meta"))
    with tf.Graph().as_default(), tf.Session() as session:
        reshaped = tf.get_variable("a", [2, 1])
        call("train.Saver", {"a": reshaped}, reshape=True).restore(session, str(folder / "late"))
        assert session.run(reshaped).tolist() == [[1], [2]]
        with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
            call("train.Saver", {"a": reshaped}, reshape=False).restore(session, str(folder / "late"))
    with tf.Graph().as_default():
        with pytest.raises(ValueError, match="No variables"):
            call("train.Saver")
        assert call("train.Saver", allow_empty=True).last_checkpoints == []
    for clear in (True, False):
        with tf.Graph().as_default() as graph:
            call("train.import_meta_graph", str(folder / "graph.meta"), clear_devices=clear, import_scope="in")
            assert bool(graph.get_operation_by_name("in/a").device) is not clear
    assert b.name == "b:0"


@proves({"train.create_global_step": "graph", "train.get_global_step": "graph", "train.get_or_create_global_step": "graph",
         "train.ExponentialMovingAverage": "num_updates zero_debias name",
         "train.replica_device_setter": "ps_tasks ps_device worker_device merge_devices cluster ps_ops ps_strategy"})  # fmt: skip
def steps(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    graphs = [tf.Graph(), tf.Graph()]
    made = [call("train.create_global_step", graph=graphs[0]), call("train.get_or_create_global_step", graph=graphs[1])]
    assert [step.graph for step in made] == graphs and tf.train.get_global_step() is None
    assert [call("train.get_global_step", graph=graph) for graph in graphs] == made
    v = tf.Variable(2.0, name="v")
    found = {}
    for name, given in {"plain": {}, "young": {"num_updates": 1}, "fair": {"zero_debias": True}}.items():
        average = call("train.ExponentialMovingAverage", 0.9, name=name, **given)
        kept = tf.identity(v) * 1.0 if name == "fair" else v
        update = average.apply([kept])
        with tf.control_dependencies([tf.assign(v, 3.0)]):
            assert average.name == name and name in average.average(kept).op.name
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            session.run(v.assign(3.0))
            session.run(update)
            found[name] = session.run(average.average(kept))
    np.testing.assert_allclose(
        [found[name] for name in ("plain", "young", "fair")], [2.1, 2.0 + 9 / 11, 3.0], rtol=1e-6
    )

    def devices(**given: Any) -> tuple[str, ...]:
        with tf.Graph().as_default(), tf.device(call("train.replica_device_setter", **given)):
            with tf.device("/cpu:0"):
                inner = tf.Variable(1.0)
            two = [tf.get_variable(name, [2]) for name in "ab"]
            return tuple(node.device for node in (inner, *two, tf.constant(1.0)))

    assert devices(ps_tasks=2) == ("/job:ps/task:0/device:CPU:0", "/job:ps/task:1", "/job:ps/task:0", "/job:worker")
    assert devices(ps_tasks=1, ps_device="/job:keep", worker_device="/job:work")[1::2] == (
        "/job:keep/task:0",
        "/job:work",
    )
    assert devices(ps_tasks=1, merge_devices=False)[0] == "/device:CPU:0"
    cluster = tf.train.ClusterSpec({"ps": ["h:1", "h:2", "h:3"], "worker": ["h:4"]})
    assert devices(cluster=cluster)[:3] == ("/job:ps/task:0/device:CPU:0", "/job:ps/task:1", "/job:ps/task:2")
    assert devices(ps_tasks=2, ps_ops=["Const"])[1:] == (
        "/job:worker",
        "/job:worker",
        devices(ps_tasks=2, ps_ops=["Const"])[3],
    )
    assert devices(ps_tasks=2, ps_strategy=lambda op: 1)[1:3] == ("/job:ps/task:1", "/job:ps/task:1")


@proves({"summary.FileWriter": "graph graph_def filename_suffix session"})
def summaries(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    tf.constant(1.0, name="here")
    graph, session = tf.get_default_graph(), tf.Session()

    def events(place: str) -> list[Any]:
        (path,) = (folder / place).glob("events.*")
        return list(tf.train.summary_iterator(str(path)))

    for place, given in {"a": {"graph": graph}, "b": {"graph_def": graph.as_graph_def()}, "c": {}}.items():
        call("summary.FileWriter", str(folder / place), filename_suffix=".end", **given).close()
        assert ("graph_def" in [e.WhichOneof("what") for e in events(place)]) is bool(given)
        assert str(next((folder / place).iterdir())).endswith(".end")
    inside = call("summary.FileWriter", str(folder / "s"), session=session)
    inside.add_summary(tf.Summary(value=[tf.Summary.Value(tag="x", simple_value=1.0)]), 1)
    inside.flush()
    inside.close()
    assert [e.summary.value[0].tag for e in events("s") if e.HasField("summary")] == ["x"]
