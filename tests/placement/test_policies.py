"""The default policies, asked directly."""

import pytest

from millstream.ops.core import dtypes
from millstream.placement.policies import cpu_first, current_policy, gpu_first, small_tensors_on_cpu, use_policy
from support import toys


@pytest.mark.parametrize(
    ("policy", "shape", "chosen"),
    [
        (gpu_first, (2,), "GPU:0"),
        (cpu_first, (2,), "CPU:0"),
        (small_tensors_on_cpu(), (1024,), "CPU:0"),
        (small_tensors_on_cpu(), (1025,), "GPU:0"),
        (small_tensors_on_cpu(limit=8), (2,), "CPU:0"),
        (small_tensors_on_cpu(), (None,), "GPU:0"),
    ],
)
def test_choices(graph, devices, policy, shape, chosen):
    op = toys.tanh(toys.value(graph, shape), name="y").op
    choice = policy([op], devices)
    assert choice.device.short_name == chosen
    assert "policy" in choice.reason


def test_policies_choose_among_the_candidates_only(graph, devices):
    op = toys.tanh(toys.value(graph), name="y").op
    cpus, gpus = devices[:2], devices[2:]
    assert gpu_first([op], cpus).device is cpus[0]
    assert cpu_first([op], gpus).device is gpus[0]
    assert small_tensors_on_cpu()([op], gpus).device is gpus[0]


def test_small_tensors_on_cpu_in_a_placement(graph, placed):
    """x(small) -> y ; big -> z"""
    toys.tanh(toys.value(graph), name="y")
    toys.tanh(toys.value(graph, (10_000,), dtypes.float32, "big"), name="z")
    placement = placed(policy=small_tensors_on_cpu())
    placement.assert_on("y", "/cpu:0")
    placement.assert_on("z", "/gpu:0")
    assert "no tensor of it has more than 4096 bytes" in placement["y"].reason


def test_a_policy_is_in_force_inside_its_block():
    with use_policy(cpu_first):
        with use_policy(gpu_first):
            assert current_policy() is gpu_first
        assert current_policy() is cpu_first
    assert current_policy() is gpu_first


def test_a_policy_must_be_callable():
    with (
        pytest.raises(TypeError, match="A placement policy is a function of nodes and devices, got 'cpu'"),
        use_policy("cpu"),
    ):
        pass
