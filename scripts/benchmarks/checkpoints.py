"""The rows of checkpoints: a gibibyte of variables to a file and back. As `workloads`, for either side.

The files lie in a folder for temporary files, which is removed with the step. What is timed is the Saver and the file
system's cache; nobody waits for a disk.
"""

from __future__ import annotations

import os
import pathlib
import tempfile
from typing import Any

from workloads import Step, Workload, session

VARIABLES, ROWS, COLUMNS = 16, 4096, 4096


def saver_of_a_gibibyte(tf: Any) -> tuple[Any, Any, Any]:
    """Return a Saver, a session with its sixteen variables of 64 MiB, and an element of the last one."""
    shape = [ROWS, COLUMNS]
    made = [tf.get_variable(f"v{i}", shape, initializer=tf.constant_initializer(i + 0.5)) for i in range(VARIABLES)]
    return tf.train.Saver(max_to_keep=1), session(tf), made[-1][ROWS - 1, COLUMNS - 1]


def saving(tf: Any) -> Step:
    saver, sess, _ = saver_of_a_gibibyte(tf)
    folder = tempfile.TemporaryDirectory()

    def step() -> float:
        saver.save(sess, os.path.join(folder.name, "model"), write_meta_graph=False, write_state=False)
        return float(sum(path.stat().st_size for path in pathlib.Path(folder.name).glob("model.data-*")))

    return step


def loading(tf: Any) -> Step:
    saver, sess, last = saver_of_a_gibibyte(tf)
    folder = tempfile.TemporaryDirectory()
    prefix = saver.save(sess, os.path.join(folder.name, "model"), write_meta_graph=False, write_state=False)

    def step() -> float:
        saver.restore(sess, prefix)
        assert os.path.isdir(folder.name)
        return float(sess.run(last))

    return step


WORKLOADS = (
    Workload("saving", "saving 1 GiB", saving),
    Workload("loading", "loading 1 GiB", loading),
)
