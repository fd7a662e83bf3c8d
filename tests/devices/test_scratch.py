"""Lanes are lent to one user at a time, and kept by their thread."""

import threading

import numpy as np
import pytest

from millstream.devices.scratch import lanes

KINDS = (np.dtype("f4"), np.dtype("f8"), np.dtype("f4"))


def where(arrays):
    return [array.ctypes.data for array in arrays]


def test_lanes_are_apart_and_come_again():
    with lanes(1000, KINDS) as first:
        assert [(lane.size, lane.dtype) for lane in first] == [(1000, kind) for kind in KINDS]
        assert len(set(where(first))) == 3
    with lanes(500, KINDS) as again:
        assert where(again) == where(first)
        assert again[0].size == 500
    with lanes(1 << 16, KINDS) as larger:
        assert larger[0].size == 1 << 16


def test_lanes_in_use_are_not_lent_again():
    with lanes(100, KINDS) as outer, lanes(100, KINDS) as inner:
        assert not set(where(outer)) & set(where(inner))


def test_threads_have_lanes_of_their_own():
    found = []

    def work():
        with lanes(100, KINDS) as theirs:
            found.extend(where(theirs))

    with lanes(100, KINDS) as mine:
        pass
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert not set(found) & set(where(mine))


def test_lanes_are_not_kept_after_an_error():
    with pytest.raises(ValueError), lanes(100, (np.dtype("i2"),)) as lost:
        raise ValueError
    with lanes(100, (np.dtype("i2"),)) as fresh:
        assert where(fresh) != where(lost)


def test_no_dtypes_no_lanes():
    with lanes(10, ()) as none:
        assert none == []
