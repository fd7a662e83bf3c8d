"""Saver, as programs use it: which checkpoints stay, what restores into what, and graphs that come back without their program."""

import os
import pathlib

import numpy as np
import pytest

import millstream as tf
from millstream.devices import simulated_gpus

GOLDEN = pathlib.Path(__file__).parents[2] / "golden" / "checkpoint"


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def initialised():
    session = tf.Session()
    session.run(tf.global_variables_initializer())
    return session


def names_in(folder):
    return sorted(os.listdir(folder))


def test_nodes_have_tensorflows_names(graph):
    tf.get_variable("a", [2])
    tf.get_variable("b", [], use_resource=True)
    tf.get_variable("p", [5, 2], partitioner=tf.fixed_size_partitioner(2))
    saver = tf.train.Saver(max_to_keep=2)
    saving = {op.name: op.type for op in graph.get_operations() if op.name.startswith("save")}
    assert saving == {
        "save/filename/input": "Const", "save/filename": "PlaceholderWithDefault", "save/Const": "PlaceholderWithDefault",
        "save/SaveV2/tensor_names": "Const", "save/SaveV2/shape_and_slices": "Const", "save/SaveV2": "SaveV2",
        "save/control_dependency": "Identity", "save/RestoreV2/tensor_names": "Const",
        "save/RestoreV2/shape_and_slices": "Const", "save/RestoreV2": "RestoreV2", "save/Assign": "Assign",
        "save/Identity": "Identity", "save/AssignVariableOp": "AssignVariableOp", "save/Assign_1": "Assign",
        "save/Assign_2": "Assign", "save/restore_all": "NoOp",
    }  # fmt: skip
    definition = saver.as_saver_def()
    assert (definition.filename_tensor_name, definition.save_tensor_name, definition.restore_op_name) == (
        "save/Const:0", "save/control_dependency:0", "save/restore_all",
    )  # fmt: skip


def test_the_latest_are_kept(tmp_path):
    tf.get_variable("a", [2])
    saver = tf.train.Saver(max_to_keep=2)
    with initialised() as session:
        paths = [saver.save(session, str(tmp_path / "m"), global_step=step) for step in (3, 4, 5)]
    assert saver.last_checkpoints == paths[1:]
    assert names_in(tmp_path) == sorted(
        ["checkpoint", *(f"m-{s}{end}" for s in (4, 5) for end in (".data-00000-of-00001", ".index", ".meta"))]
    )
    state = tf.train.get_checkpoint_state(tmp_path)
    assert list(state.all_model_checkpoint_paths) == paths[1:] and state.model_checkpoint_path == paths[2]
    assert tf.train.latest_checkpoint(tmp_path) == paths[2]
    text = f'model_checkpoint_path: "{paths[2]}"\n' + "".join(f'all_model_checkpoint_paths: "{p}"\n' for p in paths[1:])
    assert (tmp_path / "checkpoint").read_text() == text


def test_one_in_so_many_hours_stays(tmp_path, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("time.time", lambda: now[0])
    tf.get_variable("a", [2])
    saver = tf.train.Saver(max_to_keep=1, keep_checkpoint_every_n_hours=1)
    with initialised() as session:
        for step in range(6):
            saver.save(session, str(tmp_path / "m"), global_step=step, write_meta_graph=False)
            now[0] += 1500
    kept = [name for name in names_in(tmp_path) if name.endswith(".index")]
    assert kept == ["m-3.index", "m-5.index"]


def test_kept_ones_are_recovered_after_a_restart(tmp_path):
    tf.get_variable("a", [2])
    with initialised() as session:
        first = tf.train.Saver(max_to_keep=2)
        paths = [first.save(session, str(tmp_path / "m"), global_step=step) for step in (1, 2)]
        second = tf.train.Saver(max_to_keep=2)
        second.recover_last_checkpoints([*paths, str(tmp_path / "gone")])
        second.save(session, str(tmp_path / "m"), global_step=3)
    assert not tf.train.checkpoint_exists(paths[0]) and tf.train.checkpoint_exists(paths[1])


@pytest.mark.parametrize("sharded", [False, True])
@pytest.mark.parametrize("sequentially", [False, True])
def test_values_come_back(tmp_path, sharded, sequentially):
    with simulated_gpus(2):
        with tf.device("/gpu:0"):
            a = tf.get_variable("a", initializer=np.arange(4.0))
        with tf.device("/gpu:1"):
            b = tf.get_variable("b", initializer=np.arange(3), use_resource=True)
        p = tf.get_variable("p", [5, 2], partitioner=tf.fixed_size_partitioner(2), initializer=tf.ones_initializer())
        saver = tf.train.Saver(sharded=sharded, restore_sequentially=sequentially)
        with tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as session:
            session.run(tf.global_variables_initializer())
            path = saver.save(session, str(tmp_path / "m"))
            session.run([tf.assign(a, a * 0.0), b.assign_add([1, 1, 1]), p.assign(np.zeros((5, 2)))])
            saver.restore(session, path)
            found = session.run([a, b, tf.convert_to_tensor(p)])
    for value, wanted in zip(found, [np.arange(4.0), np.arange(3), np.ones((5, 2))], strict=True):
        np.testing.assert_array_equal(value, wanted)
    reader = tf.train.NewCheckpointReader(path)
    assert reader.get_variable_to_shape_map() == {"a": [4], "b": [3], "p": [5, 2]}
    assert sum(name.startswith("m") for name in names_in(tmp_path)) == (5 if sharded else 3)


def test_parts_on_several_devices_make_one_variable(tmp_path):
    """p/part_0 on CPU:0, p/part_1 on CPU:1, each in a part of the checkpoint; the step is a NumPy integer."""
    config = tf.ConfigProto(device_count={"CPU": 2})
    with tf.device(lambda op: "/cpu:1" if "part_1" in op.name else "/cpu:0"):
        p = tf.get_variable("p", [4], partitioner=tf.fixed_size_partitioner(2), initializer=tf.ones_initializer())
    saver = tf.train.Saver(sharded=True)
    with tf.Session(config=config) as session:
        session.run(tf.global_variables_initializer())
        path = saver.save(session, str(tmp_path / "m"), np.int64(3))
        assert path == str(tmp_path / "m-3")
        session.run([part.assign([7.0, 7.0]) for part in p])
        saver.restore(session, path)
        np.testing.assert_array_equal(session.run(tf.convert_to_tensor(p)), np.ones(4))
    np.testing.assert_array_equal(tf.train.NewCheckpointReader(path).get_tensor("p"), np.ones(4))


def test_other_parts_and_other_shapes_restore(tmp_path):
    tf.get_variable("p", initializer=np.arange(6.0))
    with initialised() as session:
        path = tf.train.Saver().save(session, str(tmp_path / "m"))
    with tf.Graph().as_default(), tf.Session() as session:
        p = tf.get_variable("p", [6], tf.float64, partitioner=tf.fixed_size_partitioner(3))
        tf.train.Saver().restore(session, path)
        np.testing.assert_array_equal(session.run(tf.convert_to_tensor(p)), np.arange(6.0))
    with tf.Graph().as_default(), tf.Session() as session:
        square = tf.get_variable("p", [2, 3], tf.float64)
        tf.train.Saver(reshape=True).restore(session, path)
        np.testing.assert_array_equal(session.run(square), np.arange(6.0).reshape(2, 3))


def test_options_of_save(tmp_path):
    step = tf.train.get_or_create_global_step()
    saver = tf.train.Saver(pad_step_number=True, save_relative_paths=True, max_to_keep=None)
    with initialised() as session:
        path = saver.save(session, str(tmp_path / "m"), step, "latest", write_meta_graph=False)
        assert path == str(tmp_path / "m-00000000")
        assert (tmp_path / "latest").read_text().splitlines()[0] == 'model_checkpoint_path: "m-00000000"'
        assert tf.train.latest_checkpoint(tmp_path, "latest") == path and tf.train.latest_checkpoint(tmp_path) is None
        saver.save(session, str(tmp_path / "n"), write_state=False, meta_graph_suffix="graph")
        assert "n.graph" in names_in(tmp_path) and "checkpoint" not in names_in(tmp_path)
        with pytest.raises(ValueError, match="must not contain path components"):
            saver.save(session, str(tmp_path / "m"), latest_filename="a/b")
        with pytest.raises(ValueError, match="collides with 'save_path'"):
            saver.save(session, str(tmp_path / "checkpoint"))
        with pytest.raises(ValueError, match=r"Parent directory of .* doesn't exist"):
            saver.save(session, str(tmp_path / "no" / "such" / "folder" / "m"))


def test_what_cannot_be_saved_is_told():
    with pytest.raises(ValueError, match="No variables to save"):
        tf.train.Saver()
    assert tf.train.Saver(allow_empty=True).save(tf.Session(), "nowhere", write_meta_graph=False) is None
    a = tf.get_variable("a", [2])
    with pytest.raises(ValueError, match="The same saveable will be restored with two names: y"):
        tf.train.Saver({"x": a, "y": a})
    with pytest.raises(ValueError, match="At least two variables have the same name: a"):
        tf.train.Saver([a, a])
    with pytest.raises(TypeError, match="Variable to save is not a Variable"):
        tf.train.Saver([tf.constant(1)])
    deferred = tf.train.Saver(defer_build=True)
    with pytest.raises(RuntimeError, match="build"):
        deferred.save(tf.Session(), "nowhere")
    with pytest.raises(ValueError, match="build cannot be deferred"):
        tf.train.Saver([a], defer_build=True)


def test_what_does_not_restore_is_told(tmp_path):
    tf.get_variable("a", [2])
    with initialised() as session:
        path = tf.train.Saver().save(session, str(tmp_path / "m"))
    cases = [
        (
            ("b", [2], tf.float32),
            tf.errors.NotFoundError,
            "missing from the checkpoint(.|\n)*Key b not found in checkpoint",
        ),
        (("a", [3], tf.float32), tf.errors.InvalidArgumentError, r"mismatch between(.|\n)*rhs shape= ?\[2\]"),
        (("a", [2], tf.float64), tf.errors.InvalidArgumentError, "mismatch between(.|\n)*Expected dtype float64"),
    ]
    for arguments, kind, words in cases:
        with tf.Graph().as_default(), tf.Session() as session:
            variable = tf.get_variable(*arguments)
            saver = tf.train.Saver()
            with pytest.raises(kind, match=words):
                saver.restore(session, path)
            assert not session.run(tf.is_variable_initialized(variable))
            with pytest.raises(ValueError, match="is not a valid checkpoint: nope"):
                saver.restore(session, "nope")
            with pytest.raises(ValueError, match="when it is None"):
                saver.restore(session, None)


def test_a_state_file_that_is_damaged_is_ignored(tmp_path, caplog):
    (tmp_path / "checkpoint").write_text("model_checkpoint_path 7")
    assert tf.train.get_checkpoint_state(tmp_path) is None and "Checkpoint ignored" in caplog.text
    tf.train.update_checkpoint_state(str(tmp_path), str(tmp_path / "gone"))
    assert tf.train.latest_checkpoint(tmp_path) is None and "Couldn't match files" in caplog.text
    with pytest.raises(RuntimeError, match="conflicts with path used for checkpoint state"):
        tf.train.update_checkpoint_state(str(tmp_path), str(tmp_path / "checkpoint"))


def test_readers(tmp_path):
    reader = tf.train.load_checkpoint(str(GOLDEN / "model"))
    assert reader.has_tensor("words") and not reader.has_tensor("word")
    assert reader.get_variable_to_dtype_map()["half"] is tf.bfloat16
    assert b"weights (DT_FLOAT) [2,3]\n" in reader.debug_string()
    assert tf.train.load_variable(str(GOLDEN / "model"), "step:0") == 7
    assert ("parts", [5, 2]) in tf.train.list_variables(str(GOLDEN / "model"))
    with pytest.raises(ValueError, match="Couldn't find 'checkpoint' file"):
        tf.train.list_variables(str(tmp_path))


def test_variables_begin_with_values_of_a_checkpoint():
    path = str(GOLDEN / "model")
    with tf.variable_scope("net"):
        weights = tf.get_variable("weights", [2, 3])
        parts = tf.get_variable("parts", [5, 2], partitioner=tf.fixed_size_partitioner(5))
    step = tf.get_variable("own_step", [], tf.int64, use_resource=True)
    tf.train.init_from_checkpoint(path, {"/": "net/", "step": step})
    with initialised() as session:
        found = session.run([weights, tf.convert_to_tensor(parts), step])
    np.testing.assert_array_equal(found[0], np.arange(6).reshape(2, 3))
    np.testing.assert_array_equal(found[1], np.arange(10).reshape(5, 2))
    assert found[2] == 7
    with pytest.raises(ValueError, match="Shape of variable"):
        tf.train.init_from_checkpoint(path, {"weights": step})
    with pytest.raises(ValueError, match="is not found in"):
        tf.train.init_from_checkpoint(path, {"weight": weights})
    with pytest.raises(ValueError, match="should map to scope only"):
        tf.train.init_from_checkpoint(path, {"/": "net"})


def test_tensorflows_graph_runs_without_its_program():
    saver = tf.train.import_meta_graph(GOLDEN / "model.meta")
    with tf.Session() as session:
        saver.restore(session, str(GOLDEN / "model"))
        (y,) = tf.get_collection("outputs")
        np.testing.assert_array_equal(session.run(y, {"x:0": [[1, 10]]}), [[30, 41, 52]])
        assert sorted(v.op.name for v in tf.global_variables()) == [
            "half", "parts/part_0", "parts/part_1", "step", "weights", "words",
        ]  # fmt: skip
        assert [v.op.name for v in tf.trainable_variables() if v.op.name == "step"] == []


def test_a_graph_goes_out_and_comes_back(tmp_path):
    with tf.device("/gpu:0"), tf.variable_scope("net"):
        x = tf.placeholder(tf.float32, [], name="x")
        w = tf.get_variable("w", initializer=3.0)
        y = tf.cond(x > 0.0, lambda: x * w, lambda: x - w)
        _, z = tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * w), [0, y])
    tf.add_to_collection("outputs", z)
    tf.add_to_collection("numbers", 7)
    tf.add_to_collection("words", "mill")
    saver = tf.train.Saver()
    with simulated_gpus(1), tf.Session() as session:
        session.run(w.initializer)
        path = saver.save(session, str(tmp_path / "m"))
    for text in (False, True):
        tf.train.export_meta_graph(str(tmp_path / "again"), saver_def=saver.as_saver_def(), as_text=text)
        with tf.Graph().as_default(), tf.Session() as session:
            again = tf.train.import_meta_graph(str(tmp_path / "again"), clear_devices=True, import_scope="here")
            again.restore(session, path)
            (z,) = tf.get_collection("outputs")
            assert session.run(z, {"here/net/x:0": 2.0}) == 162.0 and z.device == ""
            assert tf.get_collection("numbers") == [7] and tf.get_collection("words") == [b"mill"]
            (variable,) = tf.trainable_variables()
            assert variable.name == "here/net/w:0" and tf.global_variables()[0] is variable


def test_savers_go_out_with_the_graph(tmp_path):
    tf.get_variable("v", initializer=2.0)
    saver = tf.train.Saver(max_to_keep=3, name="sv")
    tf.add_to_collection(tf.GraphKeys.SAVERS, saver)
    with initialised() as session:
        path = saver.save(session, str(tmp_path / "m"))
    with tf.Graph().as_default(), tf.Session() as session:
        tf.train.import_meta_graph(path + ".meta")
        (again,) = tf.get_collection(tf.GraphKeys.SAVERS)
        assert again.as_saver_def() == saver.as_saver_def()
        again.restore(session, path)
        assert session.run("v:0") == 2.0


def test_defaults_are_left_out_where_asked():
    x = tf.placeholder(tf.float32, [2, 2], name="x")
    tf.matmul(x, tf.Variable(np.ones((2, 2), np.float32)), transpose_b=True, name="y")
    whole, bare = (tf.train.export_meta_graph(strip_default_attrs=strip) for strip in (False, True))
    nodes = {node.name: sorted(set(node.attr) - {"_output_shapes"}) for node in bare.graph_def.node}
    assert (nodes["y"], nodes["x"], nodes["Variable"]) == (["T", "transpose_b"], ["dtype", "shape"], ["dtype", "shape"])
    info = bare.meta_info_def
    assert info.stripped_default_attrs and info.tensorflow_version == tf.VERSION
    listed = ["Assign", "Const", "Identity", "MatMul", "Placeholder", "VariableV2"]
    assert [op.name for op in info.stripped_op_list.op] == listed
    with tf.Graph().as_default() as graph:
        tf.train.import_meta_graph(bare)
        assert list(graph.as_graph_def(add_shapes=True).node)[: len(nodes)] == list(whole.graph_def.node)


def test_scopes_of_a_graph_go_alone(tmp_path):
    with tf.name_scope("one"):
        a = tf.constant(2.0, name="a")
        tf.add(a, 1.0, name="sum")
    tf.constant(1.0, name="other")
    made = tf.train.export_meta_graph(export_scope="one", clear_devices=True, strip_default_attrs=True)
    assert sorted(node.name for node in made.graph_def.node) == ["a", "sum", "sum/y"]
    with pytest.raises(ValueError, match="no node under the scope"):
        tf.train.export_meta_graph(export_scope="two")


@pytest.mark.parametrize("data", [b"", b"\xff\xff\xff nonsense"])
def test_files_that_are_no_graphs_are_told(tmp_path, data):
    with pytest.raises(OSError, match="does not exist"):
        tf.train.import_meta_graph(tmp_path / "none")
    (tmp_path / "some").write_bytes(data)
    if data:
        with pytest.raises(OSError, match="Cannot parse file"):
            tf.train.import_meta_graph(tmp_path / "some")


# A path as programs write it; what TensorFlow then writes into the folder's state, and what it finds there again.
PLACES = {
    "ck/model": ("model", "ck/model"),
    "./ck/model": ("model", "./ck/model"),
    "ck//model": ("model", "ck/model"),
    "model": ("model", "./model"),
    "./model": ("model", "./model"),
    "ck/../ck/model": ("model", "ck/../ck/model"),
}


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("relative", [False, True])
def test_checkpoints_at_relative_paths_are_found_again(path, relative, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ck").mkdir()
    folder, (written, found) = os.path.dirname(path) or ".", PLACES[path]
    with tf.Graph().as_default(), tf.Session() as sess:
        v = tf.Variable(2.0, name="v")
        sess.run(v.initializer)
        saver = tf.train.Saver(save_relative_paths=relative)
        assert saver.save(sess, path) == path
        state = (tmp_path / folder / "checkpoint").read_text()
        assert f'model_checkpoint_path: "{written}"' in state
        assert tf.train.latest_checkpoint(folder) == found
        assert tf.train.get_checkpoint_state(folder).all_model_checkpoint_paths == [found]
        sess.run(v.assign(5.0))
        saver.restore(sess, tf.train.latest_checkpoint(folder))
        assert sess.run(v) == 2.0


def test_absolute_checkpoints_stay_absolute_unless_asked_for(tmp_path):
    for relative, expected in ((False, f"{tmp_path}/m"), (True, "m")):
        with tf.Graph().as_default(), tf.Session() as sess:
            sess.run(tf.Variable(2.0, name="v").initializer)
            tf.train.Saver(save_relative_paths=relative).save(sess, f"{tmp_path}/m")
        assert f'model_checkpoint_path: "{expected}"' in (tmp_path / "checkpoint").read_text()
        assert tf.train.latest_checkpoint(tmp_path) == f"{tmp_path}/m"


def test_meta_graphs_make_their_folder(tmp_path):
    with tf.Graph().as_default():
        tf.get_variable("w", [2])
        path = tmp_path / "not" / "yet" / "export.meta"
        tf.train.Saver().export_meta_graph(str(path), as_text=True)
        assert path.is_file()
    with tf.Graph().as_default():
        tf.train.import_meta_graph(str(path))
        assert [v.op.name for v in tf.global_variables()] == ["w"]
