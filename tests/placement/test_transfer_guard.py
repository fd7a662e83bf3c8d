"""transfer_guard: levels, directions, nesting, threads, exemptions."""

import logging
import threading

import pytest

from millstream.ops.core import errors
from millstream.placement import transfer_guard
from millstream.placement.transfer_guard import check_transfers, guarded
from support import toys


@pytest.fixture
def copies(graph, placed):
    """x(fed to GPU:0, pinned) -> b(GPU:0) -> c(GPU:1) -> d(CPU:0) ; b -> moved(identity pinned to CPU:0)"""
    with graph.device("/gpu:0"):
        x = toys.value(graph)
        b = toys.tanh(x, name="b")
    with graph.device("/gpu:1"):
        c = toys.tanh(b, name="c")
    with graph.device("/cpu:0"):
        toys.tanh(c, name="d")
        toys.identity(b, name="moved")
    return placed(feeds=[x]).copies


def refused(copies):
    try:
        check_transfers(copies)
    except errors.FailedPreconditionError as error:
        return [line.split(": ")[0].strip() for line in error.message.splitlines()[1:-1]]
    return []


def test_without_a_guard_everything_is_allowed(copies):
    assert not guarded()
    assert refused(copies) == []


def test_disallow_refuses_copies_that_nobody_asked_for(copies):
    with transfer_guard("disallow"):
        assert guarded()
        assert refused(copies) == ["b:0", "c:0"]
    assert not guarded()


def test_disallow_explicit_refuses_all(copies):
    with transfer_guard("disallow_explicit"):
        assert sorted(refused(copies)) == ["b:0", "b:0", "c:0", "x:0"]


@pytest.mark.parametrize(
    ("direction", "names"),
    [("device_to_device", ["b:0"]), ("device_to_host", ["c:0"]), ("host_to_device", []), ("host_to_host", [])],
)
def test_a_guard_may_be_about_one_direction(copies, direction, names):
    with transfer_guard("disallow", direction):
        assert refused(copies) == names


def test_tensors_may_be_exempt(copies):
    with transfer_guard("disallow", allow=["b:*"]):
        assert refused(copies) == ["c:0"]


def test_inner_guards_go_first_in_their_direction(copies):
    with transfer_guard("disallow"), transfer_guard("allow", "device_to_host"):
        assert refused(copies) == ["b:0"]
    with transfer_guard("disallow"), transfer_guard("allow"):
        assert refused(copies) == []


def test_a_guard_holds_in_its_own_thread(copies):
    found = []
    with transfer_guard("disallow"):
        thread = threading.Thread(target=lambda: found.append(refused(copies)))
        thread.start()
        thread.join()
    assert found == [[]]


def test_log_writes_the_copies_and_lets_them_pass(copies, caplog):
    with caplog.at_level(logging.INFO, "millstream.placement"), transfer_guard("log"):
        assert refused(copies) == []
    texts = [record.getMessage().split(" (Copy)")[0] for record in caplog.records]
    assert texts == ["transfer_guard: b:0:", "transfer_guard: c:0:"]


def test_the_guard_ends_with_its_block_even_after_an_error(copies):
    with pytest.raises(KeyError), transfer_guard("disallow"):
        raise KeyError
    assert refused(copies) == []


@pytest.mark.parametrize("arguments", [("forbid",), ("allow", "sideways")])
def test_unknown_levels_and_directions_are_errors(arguments):
    with (
        pytest.raises(ValueError, match=r"transfer_guard: (level|direction) must be one of"),
        transfer_guard(*arguments),
    ):
        pass
