"""Soft placement and other fallbacks: never silent, told once for each node, with the reason."""

import warnings

import pytest

from millstream.ops.core import dtypes
from millstream.placement.log import PlacementLog
from support import toys
from support.toys import CPU0, CPU1, GPU0


@pytest.mark.parametrize(
    ("request_", "device"),
    [("/gpu:7", GPU0), ("/cpu:5", CPU0), ("/job:localhost/gpu:9", GPU0), ("/device:TPU:0", CPU0)],
)
def test_type_and_index_are_dropped_and_the_same_type_is_preferred(graph, placed, request_, device):
    x = toys.value(graph)
    with graph.device(request_):
        toys.tanh(x, name="y")
    with pytest.warns(UserWarning, match=r"y \(Tanh\) was requested on .*there is no such device"):
        placement = placed(soft=True)
    assert placement["y"].assigned == device
    assert placement["y"].reason.startswith("soft placement: ")
    assert placement["y"] in placement.fallbacks


def test_a_missing_kernel_falls_back_with_its_reason(graph, placed):
    """s -> j(GPU:1), strings"""
    s = toys.value(graph, (), dtypes.string, name="s")
    with graph.device("/gpu:1"):
        j = toys.string_join([s], name="j")
    with pytest.warns(UserWarning) as told:
        placement = placed(soft=True)
    assert placement["j"].assigned == CPU0
    (warning,) = told
    assert str(warning.message) == (
        f"j (StringJoin) was requested on /device:GPU:1 and is placed on {CPU0}: s:0 holds string values, which live "
        f"on the CPU only: place j there (created at {j.op.created_at})"
    )


def test_a_request_that_is_met_is_no_fallback(graph, placed):
    with graph.device("/cpu:1"):
        toys.value(graph)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        placement = placed(soft=True)
    assert placement["x"].assigned == CPU1 and not placement.fallbacks


def test_each_node_warns_once_for_a_log(graph, placed, devices):
    """Three placements of one session tell of one fallback."""
    with graph.device("/gpu:7"):
        toys.value(graph)
    log = PlacementLog(devices, enabled=False)
    with pytest.warns(UserWarning) as told:
        for _ in range(3):
            placed(soft=True, log=log)
    assert len(told) == log.fallbacks == 1


def test_under_soft_placement_a_group_follows_its_oldest_request(graph, placed):
    """a(GPU:0) ~ b(GPU:1)"""
    x = toys.value(graph)
    with graph.device("/gpu:0"):
        a = toys.tanh(x, name="a")
    with graph.colocate_with(a):
        toys.tanh(x, name="b").op.set_device("/device:GPU:1")
    with pytest.warns(UserWarning, match="b .*must share a device with a, which was requested there first"):
        placement = placed(soft=True)
    assert placement["a"].assigned == placement["b"].assigned == GPU0


def test_a_whole_group_falls_back_together(graph, placed):
    """a(GPU:1) ~ b(CPU only)"""
    x = toys.value(graph)
    with graph.device("/gpu:1"):
        a = toys.tanh(x, name="a")
    with graph.colocate_with(a):
        toys.cpu_only(x, name="b")
    with pytest.warns(UserWarning) as told:
        placement = placed(soft=True)
    assert placement["a"].assigned == placement["b"].assigned == CPU0
    assert len(told) == 2 and "CpuOnly has no kernel for GPU devices" in str(told[0].message)


def test_a_user_of_a_variable_follows_it_even_under_hard_placement(graph, placed):
    """v(GPU:0) -> set(asked for CPU:1): TensorFlow runs it too, but says nothing"""
    with graph.device("/gpu:0"):
        v = toys.variable(shape=(2,), dtype=dtypes.float32, name="v")
    set_ = toys.assign(v, toys.value(graph), name="set").op
    set_.colocation = ()
    set_.set_device("/device:CPU:1")
    with pytest.warns(UserWarning, match="set .*uses the reference or resource v, whose place is there"):
        placement = placed()
    assert placement["set"].assigned == GPU0
    placement.assert_on("v", "/gpu:0")
