"""What keywords of methods do: of sessions, optimisers, savers, variables, datasets, writers and graphs."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest

from .keyword_data import drained
from .keywords import Caller, proves


@proves({"Session.run": "feed_dict options run_metadata", "Tensor.eval": "feed_dict session",
         "Operation.run": "feed_dict session", "Variable.eval": "session",
         "train.MonitoredSession.run": "feed_dict options run_metadata",
         **{f"Variable.{name}": "use_locking read_value" for name in ("assign", "assign_add", "assign_sub")},
         "Graph.get_collection": "scope", "Graph.as_graph_def": "add_shapes"})  # fmt: skip
def running(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    x = tf.placeholder_with_default(1.0, [], name="x")
    v = tf.Variable(2.0, name="v")
    graph, y = x.graph, tf.multiply(x, 3.0, name="y")
    begin = tf.global_variables_initializer()
    step = tf.group(v.assign(x))
    changed = {name: call.on(v, f"Variable.{name}", 1.0, use_locking=True, read_value=False)
               for name in ("assign", "assign_add", "assign_sub")}  # fmt: skip
    read = {name: call.on(v, f"Variable.{name}", 1.0) for name in changed}
    for name in changed:
        assert changed[name].type.startswith("Assign") and changed[name].get_attr("use_locking") is True
        assert isinstance(read[name], tf.Tensor) and not isinstance(changed[name], tf.Tensor)
    trace = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    with tf.Session() as session, tf.Session() as other:
        metadata = tf.RunMetadata()
        found = call.on(session, "Session.run", y, feed_dict={x: 2.0}, options=trace, run_metadata=metadata)
        assert found == 6.0 and metadata.step_stats.dev_stats
        assert call.on(y, "Tensor.eval", feed_dict={x: 5.0}, session=other) == 15.0
        session.run(begin)
        call.on(step, "Operation.run", feed_dict={x: 7.0}, session=session)
        assert call.on(v, "Variable.eval", session=session) == 7.0
        with pytest.raises(tf.errors.FailedPreconditionError):
            call.on(v, "Variable.eval", session=other)
    assert call.on(graph, "Graph.get_collection", "variables", scope="w") == []
    for node in call.on(graph, "Graph.as_graph_def", add_shapes=True).node[:2]:
        assert "_output_shapes" in node.attr
    assert "_output_shapes" not in graph.as_graph_def().node[0].attr
    metadata = tf.RunMetadata()
    with tf.train.SingularMonitoredSession() as session:
        found = call.on(
            session, "train.MonitoredSession.run", y, feed_dict={x: 4.0}, options=trace, run_metadata=metadata
        )
    assert found == 12.0 and metadata.step_stats.dev_stats


GIVEN = "var_list gate_gradients aggregation_method colocate_gradients_with_ops grad_loss"


@proves({"train.Optimizer.minimize": f"global_step {GIVEN}", "train.Optimizer.compute_gradients": GIVEN,
         "train.Optimizer.apply_gradients": "global_step", "train.ExponentialMovingAverage.apply": "var_list"})  # fmt: skip
def training(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    a, b = tf.Variable(1.0, name="a"), tf.Variable(2.0, name="b")
    step = tf.train.create_global_step()
    loss = tf.add_n([a * b, tf.square(a), tf.square(a)], name="loss")
    optimizer = tf.train.GradientDescentOptimizer(0.1)
    given: dict[str, Any] = {"var_list": [a], "gate_gradients": optimizer.GATE_NONE, "grad_loss": tf.constant(2.0),
                             "aggregation_method": tf.AggregationMethod.EXPERIMENTAL_TREE,
                             "colocate_gradients_with_ops": True}  # fmt: skip
    path = "train.Optimizer.compute_gradients"
    ((gradient, variable),) = call.on(optimizer, path, loss, **given)
    assert variable is a and "gradient_sum" in gradient.op.name
    plain = optimizer.compute_gradients(loss)
    assert [v for _, v in plain] == [a, b] and not any("gradient_sum" in g.op.name for g, _ in plain)
    together = call.on(optimizer, path, loss, gate_gradients=optimizer.GATE_GRAPH)
    assert all(g.op.control_inputs or any(i.op.control_inputs for i in g.op.inputs) for g, _ in together)
    applied = call.on(optimizer, "train.Optimizer.apply_gradients", [(gradient, a)], global_step=step)
    average = tf.train.ExponentialMovingAverage(0.5)
    averaged = call.on(average, "train.ExponentialMovingAverage.apply", var_list=[b])
    assert average.average(a) is None and average.average(b) is not None
    minimized = call.on(optimizer, "train.Optimizer.minimize", loss, global_step=step, **given)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert session.run(gradient) == 12.0
        session.run(applied)
        np.testing.assert_allclose(session.run([a, b, step]), [-0.2, 2.0, 1], rtol=1e-5)
        session.run([minimized, averaged])
        np.testing.assert_allclose(session.run([a, b, step]), [-0.44, 2.0, 2], rtol=1e-5)


@proves({"train.Saver.save": "global_step latest_filename meta_graph_suffix write_meta_graph write_state strip_default_attrs",
         "train.Saver.export_meta_graph": "filename collection_list as_text export_scope clear_devices clear_extraneous_savers "
         "strip_default_attrs"})  # fmt: skip
def saving(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    with tf.device("/cpu:0"):
        v = tf.get_variable("in/v", initializer=1.0)
    tf.add_to_collection("mine", v)
    with tf.name_scope("in/"):
        tf.matmul(tf.ones([1, 1]), tf.ones([1, 1]), name="product")
    savers = [tf.train.Saver(), tf.train.Saver()]
    for saver in savers:
        tf.add_to_collection(tf.GraphKeys.SAVERS, saver)
    with tf.Session() as session:
        session.run(v.initializer)
        path = call.on(savers[0], "train.Saver.save", session, str(folder / "a"), global_step=7, latest_filename="last",
                       meta_graph_suffix="graph", strip_default_attrs=True)  # fmt: skip
        assert path.endswith("a-7") and (folder / "last").exists() and (folder / "a-7.graph").exists()
        call.on(savers[0], "train.Saver.save", session, str(folder / "b"), write_meta_graph=False, write_state=False)
        assert not (folder / "b.meta").exists() and not (folder / "checkpoint").exists()
    name = "train.Saver.export_meta_graph"
    text = call.on(savers[0], name, filename=str(folder / "m"), as_text=True, collection_list=["mine"], clear_devices=True,
                   strip_default_attrs=True, clear_extraneous_savers=True)  # fmt: skip
    whole = savers[0].export_meta_graph()
    assert (folder / "m").read_text().startswith("meta_info_def") and text.collection_def["mine"].node_list.value == [
        "in/v:0"
    ]
    nodes = {n.name: n for n in text.graph_def.node}
    assert not nodes["in/v"].device and "transpose_a" not in nodes["in/product"].attr
    old = {n.name: n for n in whole.graph_def.node}
    assert old["in/v"].device and "transpose_a" in old["in/product"].attr
    assert "save_1/RestoreV2" in old and "save_1/RestoreV2" not in nodes
    scoped = call.on(savers[0], name, export_scope="in")
    assert {n.name for n in scoped.graph_def.node} & {"v", "product"} == {"v", "product"}
    assert list(scoped.collection_def["mine"].node_list.value) == ["v:0"]


@proves({"data.Dataset.shuffle": "seed reshuffle_each_iteration", "data.Dataset.batch": "drop_remainder",
         "data.Dataset.repeat": "count", "data.Dataset.map": "num_parallel_calls", "data.Dataset.cache": "filename",
         "data.Dataset.padded_batch": "padded_shapes padding_values drop_remainder",
         "data.Dataset.interleave": "cycle_length block_length num_parallel_calls",
         "data.Dataset.from_generator": "output_types output_shapes args", "data.Dataset.list_files": "shuffle seed",
         "data.Dataset.make_initializable_iterator": "shared_name"})  # fmt: skip
def datasets(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    numbers = tf.data.Dataset.range(20)

    def made(method: str, dataset: Any, *positional: Any, **given: Any) -> Any:
        return call.on(dataset, f"data.Dataset.{method}", *positional, **given)

    orders = [drained(tf, made("shuffle", numbers, 20, seed=seed)) for seed in (3, 3, 4)]
    assert orders[0] == orders[1] != orders[2] and sorted(orders[2]) == list(range(20))
    for again in (True, False):
        mixed = made("shuffle", numbers, 20, seed=3, reshuffle_each_iteration=again)
        twice = drained(tf, made("repeat", mixed, count=2))
        assert (twice[:20] == twice[20:]) is not again and len(twice) == 40
    assert [len(b) for b in drained(tf, made("batch", numbers, 8, drop_remainder=True))] == [8, 8]
    many = made("map", numbers, lambda x: x + 1, num_parallel_calls=2)
    assert drained(tf, many) == list(range(1, 21))
    assert any("ParallelMap" in op.type for op in tf.get_default_graph().get_operations())
    kept = made("cache", numbers, filename=str(folder / "cache"))
    assert drained(tf, kept) == list(range(20)) and list(folder.glob("cache*"))
    ragged = tf.data.Dataset.range(1, 4).map(lambda n: tf.fill([n], n))
    padded = made("padded_batch", ragged, 2, padded_shapes=[4], padding_values=np.int64(9), drop_remainder=True)
    assert [b.tolist() for b in drained(tf, padded)] == [[[1, 9, 9, 9], [2, 2, 9, 9]]]
    woven = [
        drained(
            tf,
            made("interleave", tf.data.Dataset.range(3), lambda n: tf.data.Dataset.from_tensors(n).repeat(4), **given),
        )
        for given in (
            {"cycle_length": 2, "block_length": 2},
            {"cycle_length": 1},
            {"cycle_length": 2, "num_parallel_calls": 2},
        )
    ]
    assert woven[0][:8] == [0, 0, 1, 1] * 2 and woven[1] == [0] * 4 + [1] * 4 + [2] * 4 and woven[2][:4] == [0, 1, 0, 1]
    counted = call("data.Dataset.from_generator", lambda n: iter([(i, [i] * 2) for i in range(n)]),
                   output_types=(tf.int64, tf.float32), output_shapes=([], [2]), args=(3,))  # fmt: skip
    assert [int(i) for i, _ in drained(tf, counted)] == [0, 1, 2]
    assert [s.as_list() for s in tf.data.get_output_shapes(counted)] == [[], [2]]
    for name in "dbac":
        (folder / f"{name}.txt").write_text(name)
    texts = str(folder / "*.txt")
    listed = [[pathlib.Path(p.decode()).stem for p in drained(tf, call("data.Dataset.list_files", texts, **given))]
              for given in ({"shuffle": False}, {"seed": 3}, {"seed": 3}, {"shuffle": True, "seed": 5})]  # fmt: skip
    assert listed[0] == ["a", "b", "c", "d"] and listed[1] == listed[2] and sorted(listed[3]) == listed[0]
    iterator = call.on(numbers, "data.Dataset.make_initializable_iterator", shared_name="ours")
    handles = [op for op in tf.get_default_graph().get_operations() if op.type == "IteratorV2"]
    assert b"ours" in [op.get_attr("shared_name") for op in handles] and iterator.initializer is not None


@proves({**{f"summary.FileWriter.add_{what}": "global_step" for what in ("summary", "run_metadata")},
         "summary.FileWriter.add_graph": "global_step", "gfile.GFile.read": "n", "gfile.FastGFile.read": "n",
         "train.Coordinator.join": "threads stop_grace_period_secs ignore_live_threads",
         "train.Coordinator.request_stop": "ex", "train.QueueRunner.create_threads": "coord daemon start"})  # fmt: skip
def others(tf: Any, call: Caller, folder: pathlib.Path) -> None:
    writer = tf.summary.FileWriter(str(folder))
    summary = tf.Summary(value=[tf.Summary.Value(tag="x", simple_value=1.0)])
    call.on(writer, "summary.FileWriter.add_summary", summary, global_step=3)
    call.on(writer, "summary.FileWriter.add_run_metadata", tf.RunMetadata(), "run", global_step=4)
    call.on(writer, "summary.FileWriter.add_graph", tf.get_default_graph(), global_step=5)
    writer.close()
    (path,) = folder.iterdir()
    steps = {e.WhichOneof("what"): e.step for e in tf.train.summary_iterator(str(path))}
    assert [steps[what] for what in ("summary", "tagged_run_metadata", "graph_def")] == [3, 4, 5]
    (folder / "text").write_text("abcdef")
    for kind in ("GFile", "FastGFile"):
        with getattr(tf.gfile, kind)(str(folder / "text")) as file:
            assert call.on(file, f"gfile.{kind}.read", n=2) + call.on(file, f"gfile.{kind}.read") == "abcdef"
    coordinator = tf.train.Coordinator()
    queue = tf.FIFOQueue(1, [tf.float32])
    runner = tf.train.QueueRunner(queue, [queue.enqueue(1.0)])
    with tf.Session() as session:
        path = "train.QueueRunner.create_threads"
        assert not any(t.is_alive() for t in call.on(runner, path, session, coord=None, daemon=False, start=False))
        threads = call.on(runner, path, session, coord=coordinator, daemon=True, start=True)
        call.on(coordinator, "train.Coordinator.request_stop", ex=(ValueError, ValueError("told"), None))
        with pytest.raises(ValueError, match="told"):
            call.on(
                coordinator,
                "train.Coordinator.join",
                threads=threads,
                stop_grace_period_secs=9,
                ignore_live_threads=True,
            )
