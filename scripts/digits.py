"""Train a small network on real handwritten digits, its layers spread over two GPUs and the CPU, and show where it ran.

    ./scripts/run [--epochs 30] [--out build/digits]

The digits are scikit-learn's 1,797. A machine with one GPU divides it into two, a machine without gets simulated ones.
Writes `events…` for TensorBoard, `trace.json` for Perfetto and `placement.json` to the output folder.
"""

import argparse
import contextlib
import pathlib
import time

import numpy as np
from rich.console import Console
from rich.progress import Progress
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import millstream as tf

BATCH = 64
ENOUGH = 0.95


def network(images, labels):
    """Build the model; return (train op, accuracy)."""
    with tf.device("/gpu:0"), tf.variable_scope("hidden1"):
        hidden = tf.nn.relu(dense(images, 128))
    with tf.device("/gpu:1"), tf.variable_scope("hidden2"):
        hidden = tf.nn.relu(dense(hidden, 64))
    with tf.device("/cpu:0"), tf.variable_scope("output"):
        logits = dense(hidden, 10)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits), name="loss")
        right = tf.equal(tf.argmax(logits, 1), tf.cast(labels, tf.int64))
        accuracy = tf.reduce_mean(tf.cast(right, tf.float32), name="accuracy")
    step = tf.train.get_or_create_global_step()
    train = tf.train.AdamOptimizer(2e-3).minimize(loss, global_step=step)
    tf.summary.scalar("training_loss", loss)
    tf.summary.scalar("training_accuracy", accuracy)
    return train, accuracy


def dense(x, width):
    weights = tf.get_variable("weights", [x.shape[1].value, width], initializer=tf.glorot_uniform_initializer(seed=1))
    biases = tf.get_variable("biases", [width], initializer=tf.zeros_initializer())
    return tf.matmul(x, weights) + biases


def digits():
    """Return (training images, test images, training labels, test labels), images from 0 to 1."""
    images, labels = load_digits(return_X_y=True)
    images, labels = (images / 16.0).astype("f4"), labels.astype("i4")
    return train_test_split(images, labels, test_size=0.2, random_state=0, stratify=labels)


def show(placement, console):
    """Print how many nodes each device has, and the copies of every step."""
    console.print(placement.summary(), highlight=False, soft_wrap=True)
    for copy in placement.copies:
        size = "size by batch" if copy.nbytes is None else f"{copy.nbytes:,} bytes"
        way = f"{short(copy.source)} to {short(copy.destination)}"
        console.print(
            f"  {copy.tensor}: {way}, {size}, for {', '.join(copy.consumers)}", highlight=False, soft_wrap=True
        )


def short(device):
    return device.rpartition("device:")[2]


def train_and_report(options, config, console):
    """Train, write the files, and return the accuracy on the test images."""
    x_train, x_test, y_train, y_test = digits()
    tf.set_random_seed(7)
    x = tf.placeholder(tf.float32, [None, 64], name="images")
    y = tf.placeholder(tf.int32, [None], name="labels")
    train, accuracy = network(x, y)
    merged = tf.summary.merge_all()
    first_batch = {x: x_train[:BATCH], y: y_train[:BATCH]}
    with tf.Session(config=config) as sess, tf.summary.FileWriter(str(options.out), sess.graph) as writer:
        sess.run(tf.global_variables_initializer())
        placement = sess.placement(train, feeds=[x, y])
        show(placement, console)
        (options.out / "placement.json").write_text(placement.to_json())
        rng = np.random.RandomState(0)
        began = time.perf_counter()
        with Progress(console=console) as progress:
            for epoch in progress.track(range(options.epochs), description="training"):
                order = rng.permutation(len(x_train))
                for i in range(0, len(order), BATCH):
                    batch = order[i : i + BATCH]
                    sess.run(train, {x: x_train[batch], y: y_train[batch]})
                writer.add_summary(sess.run(merged, {x: x_train, y: y_train}), epoch)
        seconds = time.perf_counter() - began
        trace(sess, train, first_batch, writer, options.out / "trace.json")
        reached = float(sess.run(accuracy, {x: x_test, y: y_test}))
    console.print(
        f"test accuracy {reached:.1%} after {options.epochs} epochs in {seconds:.1f} s; files in {options.out}"
    )
    return reached


def trace(sess, train, feed, writer, path):
    """Run one traced step; write what ran for TensorBoard and for Perfetto."""
    metadata = tf.RunMetadata()
    sess.run(train, feed, options=tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE), run_metadata=metadata)
    writer.add_run_metadata(metadata, "step")
    tf.write_chrome_trace(metadata, path)


def two_gpus(console):
    """Return a block that gives sessions two GPUs, and the configuration to make them with."""
    config = tf.ConfigProto()
    found = [device for device in tf.devices.local_devices() if device.kind == "GPU"]
    if len(found) == 1:
        console.print(f"one GPU found, {found[0].description}: divided into two")
        config.gpu_options.experimental.virtual_devices.add(memory_limit_mb=[1024, 1024])
    elif found:
        console.print(f"{len(found)} GPUs found, {found[0].description} the first")
    else:
        console.print("no GPU found: two simulated ones stand in")
        return tf.devices.simulated_gpus(2), config
    return contextlib.nullcontext(), config


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("build/digits"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    console = Console()
    block, config = two_gpus(console)
    with block:
        reached = train_and_report(options, config, console)
    raise SystemExit(0 if reached >= ENOUGH else f"test accuracy {reached:.1%} is below {ENOUGH:.0%}")


if __name__ == "__main__":
    main()
