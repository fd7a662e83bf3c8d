"""tf.profiler: parameters, arithmetic and times."""

import pytest

import millstream as tf

Builder = tf.profiler.ProfileOptionBuilder


@pytest.fixture
def model():
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [4, 3], name="x")
        with tf.variable_scope("layer"):
            w = tf.get_variable("w", [3, 2])
            y = tf.add(tf.matmul(x, w, name="product"), tf.get_variable("b", [2], trainable=False), name="sum")
        yield x, y


def test_parameters(model, capsys):
    found = tf.profiler.profile(options=Builder.trainable_variables_parameter())
    assert found.total_parameters == 6
    assert capsys.readouterr().out.splitlines() == [
        "_TFProfRoot (6 params)", "  layer (6 params)", "    layer/w (6 params)",
    ]  # fmt: skip


def test_arithmetic(model):
    found = tf.profiler.profile(options=Builder(Builder.float_operation()).with_empty_output().build(), cmd="op")
    counts = {child.name: child.float_ops for child in found.children if child.float_ops}
    assert counts["MatMul"] == 2 * 4 * 3 * 2 and counts["AddV2"] >= 8


def test_times(model, tmp_path):
    x, y = model
    metadata = tf.RunMetadata()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
        session.run(y, {x: [[1.0] * 3] * 4}, options=options, run_metadata=metadata)
    chosen = (
        Builder(Builder.time_and_memory(min_micros=0))
        .with_file_output(str(tmp_path / "out"))
        .order_by("micros")
        .build()
    )
    assert tf.profiler.profile(run_meta=metadata, options=chosen).total_exec_micros >= 0
    assert (tmp_path / "out").read_text().startswith("_TFProfRoot (")


def test_options():
    built = (
        Builder().with_max_depth(1).with_min_parameters(2).with_min_float_operations(3).with_step(4).select(["params"])
    )
    built = built.with_min_execution_time(5).with_stdout_output().build()
    assert [built[k] for k in ("max_depth", "min_params", "min_float_ops", "step", "min_micros")] == [1, 2, 3, 4, 5]
    with pytest.raises(ValueError, match="order_by takes one of"):
        Builder().order_by("x")
    with pytest.raises(ValueError, match="not 'code'"):
        tf.profiler.profile(cmd="code")
