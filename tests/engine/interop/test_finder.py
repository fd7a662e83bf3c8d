"""`import tensorflow` in programs: what is found, what is not and in which words, and that a real TensorFlow is left alone."""

import importlib
import json
import subprocess
import sys

import pytest

import millstream as ms
from millstream.engine.interop import finder


@pytest.fixture
def stand_in():
    with finder.standing_in(replace=True):
        yield


FOUND = {
    "import tensorflow as tf; tf.matmul": ms.matmul,
    "import tensorflow as tf; tf.nn.relu": ms.nn.relu,
    "import tensorflow.compat.v1 as tf; tf.Session": ms.Session,
    "import tensorflow as tf; tf.compat.v1.train.AdamOptimizer": ms.train.AdamOptimizer,
    "import tensorflow as tf; tf.app.flags.FLAGS": None,
    "import tensorflow as tf; tf.__version__": "1.15.0",
    "import tensorflow.layers; tensorflow.layers.dense": ms.layers.dense,
    "from tensorflow.python.framework import ops; ops.convert_to_tensor": ms.convert_to_tensor,
    "from tensorflow.python.framework import dtypes; dtypes.float32": ms.float32,
    "from tensorflow.python.ops import array_ops; array_ops.reshape": ms.reshape,
    "from tensorflow.python.ops import nn_ops; nn_ops.softmax": ms.nn.softmax,
    "from tensorflow.python.ops import variable_scope as vs; vs.get_variable": ms.get_variable,
    "from tensorflow.python.platform import gfile; gfile.Glob": ms.gfile.Glob,
    "from tensorflow.python.platform import tf_logging as logging; logging.info": ms.logging.info,
    "from tensorflow.python.util import compat; compat.as_bytes": ms.compat.as_bytes,
    "from tensorflow.python.util import nest; nest.flatten_up_to": None,
    "from tensorflow.python.training import moving_averages; moving_averages.assign_moving_average": None,
    "from tensorflow.python.training.moving_averages import ExponentialMovingAverage as a; a": ms.train.ExponentialMovingAverage,
    "from tensorflow.python.client import device_lib; device_lib.list_local_devices": None,
    "from tensorflow.python.client import timeline; timeline.Timeline": None,
    "from tensorflow.python.ops import gen_audio_ops; gen_audio_ops.decode_wav": ms.audio.decode_wav,
    "from tensorflow.contrib.framework.python.ops import audio_ops as contrib_audio; contrib_audio.mfcc": None,
    "import tensorflow as tf; tf.python.framework.ops.Tensor": ms.Tensor,
    "from tensorflow.examples.tutorials.mnist import input_data; input_data.read_data_sets": None,
    "from tensorflow.contrib.learn.python.learn.datasets import mnist; mnist.read_data_sets": None,
    "from tensorflow.contrib.layers.python.layers import utils; utils.convert_collection_to_dict": None,
    "from tensorflow.contrib.framework.python.ops import arg_scope; arg_scope": ms.contrib.framework.arg_scope,
    "import tensorflow.contrib.slim as slim; slim.conv2d": ms.contrib.slim.conv2d,
    "from tensorflow.contrib.tensorboard.plugins import projector; projector.ProjectorConfig": None,
    "from tensorflow.keras.datasets import mnist; mnist.load_data": None,
    "from tensorflow.keras.layers import Dense; Dense": ms.keras.layers.Dense,
    "import tensorflow.examples.tutorials.mnist.input_data as i; i.read_data_sets": None,
    "from tensorflow.python.training import training; training.AdamOptimizer": ms.train.AdamOptimizer,
    "from tensorflow.core.framework import graph_pb2; graph_pb2.GraphDef": ms.GraphDef,
    "from tensorflow.core.protobuf import config_pb2 as c; c.ConfigProto": ms.ConfigProto,
    "import tensorflow.core.example.example_pb2 as e; e.Example": ms.train.Example,
    "import tensorflow as tf; tf.core.framework.summary_pb2.Summary": ms.Summary,
}


@pytest.mark.parametrize("program", FOUND)
def test_what_is_found(stand_in, program):
    names = {}
    statement, expression = program.split("; ")
    exec(statement, names)
    found = eval(expression, names)
    assert FOUND[program] is None or found == FOUND[program]


LACKING = {
    "import tensorflow as tf; tf.relu": (AttributeError, r"tf\.relu is not there: .*; near: tf\.nn\.relu"),
    "import tensorflow as tf; tf.matmull": (AttributeError, r"near: tf\.matmul"),
    "import tensorflow as tf; tf.nn.relux": (AttributeError, r"tf\.nn\.relux is not there: .* near: tf\.nn\.relu"),
    "import tensorflow as tf; tf.engine": (AttributeError, r"tf\.engine is not there"),
    "import tensorflow as tf; tf.keras.utils.to_categoricle": (
        AttributeError, r"tf\.keras\.utils\.to_categoricle is not there: .* near: tf\.keras\.utils\.to_categorical"),
    "import tensorflow as tf; tf.nn.seq2seq": (AttributeError, r"TensorFlow 1 has tf\.contrib\.legacy_seq2seq in its place"),
    "from tensorflow import mul": (ImportError, r"'tensorflow\.mul'.*TensorFlow 1 has tf\.multiply in its place"),
    "from tensorflow.core.framework import grph_pb2": (ImportError, "tensorflow.core.framework.grph_pb2"),
    "from tensorflow import Sesion": (ImportError, r"'tensorflow\.Sesion'.*near: tensorflow\.Session"),
    "import tensorflow.nothing_like_it": (ImportError, "millstream stands in for TensorFlow here, and has nothing for it"),
    "from tensorflow.python.ops import arrey_ops": (ImportError, r"near: tensorflow\.python\.ops\.array_ops"),
    "from tensorflow.python.ops import array_ops; array_ops.rishape": (
        AttributeError, r"tensorflow\.python\.ops\.array_ops\.rishape is not there: .* near: .*reshape"),
}  # fmt: skip


@pytest.mark.parametrize("program", LACKING)
def test_what_is_lacking(stand_in, program):
    kind, words = LACKING[program]
    with pytest.raises(kind, match=words):
        exec(program, {})


def test_nothing_stays_behind():
    before = list(sys.meta_path), {name for name in sys.modules if name.startswith("tensorflow")}
    with finder.standing_in():
        pass
    assert (list(sys.meta_path), {name for name in sys.modules if name.startswith("tensorflow")}) == before


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A TensorFlow that is installed: a package of that name on the path."""
    (tmp_path / "lib" / "tensorflow").mkdir(parents=True)
    (tmp_path / "lib" / "tensorflow" / "__init__.py").write_text("real = True\n")
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    for name in [name for name in sys.modules if name.split(".")[0] == "tensorflow"]:
        monkeypatch.delitem(sys.modules, name)
    yield
    sys.modules.pop("tensorflow", None)


def test_an_installed_tensorflow_is_left_alone(installed):
    with finder.standing_in():
        assert importlib.import_module("tensorflow").real


def test_an_installed_tensorflow_is_replaced_when_asked(installed):
    real = importlib.import_module("tensorflow")
    with finder.standing_in(replace=True):
        assert importlib.import_module("tensorflow").matmul is ms.matmul
    assert importlib.import_module("tensorflow") is real


RUN = "import sys; from millstream.engine.cli import main; sys.exit(main())"
PROGRAM = """
import tensorflow as tf
from tensorflow.examples.tutorials.mnist import input_data

flags = tf.app.flags
flags.DEFINE_integer("steps", 30, "")
FLAGS = flags.FLAGS

def main(_):
    data = input_data.read_data_sets("", fake_data=True, one_hot=True)
    x = tf.placeholder(tf.float32, [None, 784])
    y = tf.placeholder(tf.float32, [None, 10])
    logits = tf.layers.dense(x, 10)
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=logits))
    train = tf.train.GradientDescentOptimizer(0.01).minimize(loss)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for _ in range(FLAGS.steps):
            images, labels = data.train.next_batch(8)
            _, value = sess.run([train, loss], {x: images, y: labels})
    print("fine" if value < 0.1 else value)

if __name__ == "__main__":
    tf.app.run()
"""


def test_a_whole_program(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    command = [sys.executable, "-c", RUN, "run", "--replace-tensorflow", str(path), "--steps=40"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "fine\n"), done.stderr


def test_tensorboard_does_not_take_the_stand_in_for_tensorflow(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(
        "import tensorflow as tf\n"
        f"writer = tf.summary.FileWriter({str(tmp_path / 'logs')!r}, tf.get_default_graph())\n"
        "writer.close()\n"
    )
    command = [sys.executable, "-c", RUN, "run", "--replace-tensorflow", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and len(list((tmp_path / "logs").iterdir())) == 1, done.stderr


def test_the_devices_and_the_timeline(stand_in):
    from tensorflow.python.client import device_lib, timeline

    assert device_lib.list_local_devices()[0].name == "/device:CPU:0"
    with ms.Graph().as_default(), ms.Session() as session:
        metadata = ms.RunMetadata()
        x = ms.random_normal([20, 20], name="x")
        y = ms.matmul(x, x, name="y")
        session.run(y, options=ms.RunOptions(trace_level=ms.RunOptions.FULL_TRACE), run_metadata=metadata)
    made = timeline.Timeline(metadata.step_stats)
    events = json.loads(made.generate_chrome_trace_format())["traceEvents"]
    (product,) = (event for event in events if event["ph"] == "X" and event["name"] == "MatMul")
    assert product["args"] == {"name": "y", "op": "MatMul", "input0": "x", "input1": "x"} and product["cat"] == "Op"
    start, end = (event for event in events if event.get("cat") == "DataFlow" and event["name"] == "x")
    assert (start["ph"], end["ph"], end["ts"]) == ("s", "t", product["ts"]) and start["ts"] <= end["ts"]
    assert not any("id" in event for event in json.loads(made.generate_chrome_trace_format(False))["traceEvents"])


def test_ops_that_overlap_have_rows_of_their_own(stand_in):
    from tensorflow.python.client import timeline

    stats = ms.RunMetadata().step_stats
    device = stats.dev_stats.add(device="/device:CPU:0")
    for name, start, lasts in (("a", 0, 10), ("b", 5, 10), ("c", 12, 3), ("d", 15, 1)):
        device.node_stats.add(node_name=name, timeline_label="odd", all_start_micros=start, all_end_rel_micros=lasts)
    events = json.loads(timeline.Timeline(stats).generate_chrome_trace_format())["traceEvents"]
    rows = {event["args"]["name"]: event["tid"] for event in events if event["ph"] == "X"}
    assert rows == {"a": 0, "b": 1, "c": 0, "d": 0} and {event["name"] for event in events[1:]} == {"odd"}
