"""Train a small network on real handwritten digits, its layers spread over two GPUs and the CPU, and show where it ran.

    ./scripts/run [--epochs 30] [--out build/digits]

scikit-learn's 1,797 digits; on simulated GPUs where there are no real ones. Writes `events…` for TensorBoard, `trace.json`
for Perfetto and `placement.json` to the output folder.
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


def network(images, labels):
    """Build the model; return (train op, loss, accuracy)."""
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
    return train, loss, accuracy


def dense(x, width):
    weights = tf.get_variable("weights", [x.shape[1].value, width], initializer=tf.glorot_uniform_initializer(seed=1))
    biases = tf.get_variable("biases", [width], initializer=tf.zeros_initializer())
    return tf.matmul(x, weights) + biases


def train_and_report(options, console):
    images, labels = load_digits(return_X_y=True)
    split = train_test_split((images / 16.0).astype("f4"), labels.astype("i4"), test_size=0.2, random_state=0, stratify=labels)
    x_train, x_test, y_train, y_test = split
    tf.set_random_seed(7)
    x = tf.placeholder(tf.float32, [None, 64], name="images")
    y = tf.placeholder(tf.int32, [None], name="labels")
    train, loss, accuracy = network(x, y)
    merged = tf.summary.merge_all()
    rng = np.random.RandomState(0)
    with tf.Session() as sess:
        writer = tf.summary.FileWriter(str(options.out), sess.graph)
        sess.run(tf.global_variables_initializer())
        placement = sess.placement(train, feeds=[x, y])
        console.print(placement.summary())
        console.print(f"{len(placement.copies)} copies a step:")
        for copy in placement.copies:
            size = "size by batch" if copy.nbytes is None else f"{copy.nbytes:,} bytes"
            console.print(f"  {copy.tensor}: {short(copy.source)} to {short(copy.destination)}, {size}, for {', '.join(copy.consumers)}")
        (options.out / "placement.json").write_text(placement.to_json())
        began = time.perf_counter()
        with Progress(console=console) as progress:
            bar = progress.add_task("training", total=options.epochs)
            for epoch in range(options.epochs):
                order = rng.permutation(len(x_train))
                for i in range(0, len(order), 64):
                    batch = order[i : i + 64]
                    sess.run(train, {x: x_train[batch], y: y_train[batch]})
                writer.add_summary(sess.run(merged, {x: x_train, y: y_train}), epoch)
                progress.advance(bar)
        seconds = time.perf_counter() - began
        metadata = tf.RunMetadata()
        traced = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
        sess.run(train, {x: x_train[:64], y: y_train[:64]}, options=traced, run_metadata=metadata)
        writer.add_run_metadata(metadata, "step")
        tf.write_chrome_trace(metadata, options.out / "trace.json")
        writer.close()
        reached = float(sess.run(accuracy, {x: x_test, y: y_test}))
    console.print(f"test accuracy {reached:.1%} after {options.epochs} epochs in {seconds:.1f} s; files in {options.out}")
    return reached


def short(device):
    return device.rpartition("device:")[2]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("build/digits"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    console = Console()
    gpus = [d for d in tf.devices.local_devices() if d.kind == "GPU"]
    console.print(f"{len(gpus)} GPUs found" if len(gpus) >= 2 else "fewer than two GPUs found: two simulated ones stand in")
    with contextlib.nullcontext() if len(gpus) >= 2 else tf.devices.simulated_gpus(2):
        reached = train_and_report(options, console)
    raise SystemExit(0 if reached >= 0.95 else f"test accuracy {reached:.1%} is below 95 %")


if __name__ == "__main__":
    main()
