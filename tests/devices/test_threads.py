"""Dividing work: every element once, no warnings, errors told, and pools made anew after a fork."""

import multiprocessing
import os

import numpy as np
import pytest

from millstream.devices.threads import divide


@pytest.mark.parametrize("size", [0, 1, 7, 64, 65, 1000])
@pytest.mark.parametrize("cores", [1, 2, 5])
def test_every_element_is_worked_on_once(size, cores, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    counts, starts = np.zeros(size, int), []

    def work(start, stop):
        starts.append(start)
        counts[start:stop] += 1

    divide(work, size, 16)
    assert (counts == 1).all()
    assert all(start % 16 == 0 for start in starts) and len(starts) <= cores


def test_parts_are_quiet():
    logs = np.zeros(100)

    def work(start, stop):
        logs[start:stop] = np.log(logs[start:stop])

    divide(work, 100, 10)
    assert (logs == -np.inf).all()


def test_the_error_of_any_part_is_raised(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    done = []

    def work(start, stop):
        if start:
            raise KeyError(start)
        done.append(stop)

    with pytest.raises(KeyError, match="50"):
        divide(work, 100, 10)
    assert done == [50]


def _in_child(queue):
    total = np.zeros(100)
    divide(lambda start, stop: total[start:stop].fill(1), 100, 10)
    queue.put(total.sum())


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_has_threads_of_its_own():
    divide(lambda start, stop: None, 100, 10)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_in_child, args=(queue,))
    child.start()
    assert queue.get(timeout=30) == 100
    child.join(10)
