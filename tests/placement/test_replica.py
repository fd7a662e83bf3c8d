"""replica_device_setter; the table of devices is what TensorFlow 2.21's v1 API answers."""

import pytest

from millstream.ops.core import dtypes
from millstream.placement.replica import GreedyLoadBalancingStrategy, byte_size_load_fn, replica_device_setter
from support import toys

PLAIN = {"ps_tasks": 2}
KEEP = {"ps_tasks": 2, "merge_devices": False}
TYPED = {"ps_tasks": 2, "worker_device": "/job:worker/task:1/cpu:0", "ps_device": "/job:ps/cpu:0"}


def devices_of(graph, scope, shapes=((), (), ()), **options):
    with graph.device(replica_device_setter(**options)), graph.device(scope):
        made = [
            toys.var_handle(dtype=dtypes.float32, shape=shape, name=f"v{i}")
            if i % 2
            else toys.variable(dtype=dtypes.float32, shape=shape, name=f"v{i}")
            for i, shape in enumerate(shapes)
        ]
        made.append(toys.const(dtype=dtypes.float32, shape=(), name="c"))
    return [tensor.op.device for tensor in made]


@pytest.mark.parametrize(
    ("scope", "options", "variables", "other"),
    [
        ("", PLAIN, "/job:ps/task:{}", "/job:worker"),
        ("", KEEP, "/job:ps/task:{}", "/job:worker"),
        ("", TYPED, "/job:ps/task:{}/device:CPU:0", "/job:worker/task:1/device:CPU:0"),
        ("/gpu:0", PLAIN, "/job:ps/task:{}/device:GPU:0", "/job:worker/device:GPU:0"),
        ("/gpu:0", KEEP, "/device:GPU:0", "/device:GPU:0"),
        ("/gpu:0", TYPED, "/job:ps/task:{}/device:GPU:0", "/job:worker/task:1/device:GPU:0"),
        ("/job:ps/task:7", PLAIN, "/job:ps/task:7", "/job:ps/task:7"),
        ("/job:ps/task:7", TYPED, "/job:ps/task:7/device:CPU:0", "/job:ps/task:7/device:CPU:0"),
        ("/job:worker/task:3/gpu:1", PLAIN, "/job:worker/task:3/device:GPU:1", "/job:worker/task:3/device:GPU:1"),
        ("/task:5", PLAIN, "/job:ps/task:5", "/job:worker/task:5"),
        ("/task:5", KEEP, "/task:5", "/task:5"),
        ("/job:other", PLAIN, "/job:other", "/job:other"),
        ("/job:other", TYPED, "/job:other/device:CPU:0", "/job:other/task:1/device:CPU:0"),
    ],
)
def test_devices(graph, scope, options, variables, other):
    assert devices_of(graph, scope, **options) == [*(variables.format(task) for task in (0, 1, 0)), other]


def test_a_cluster_tells_the_number_of_servers(graph):
    cluster = {"ps": ["a:1", "b:1", "c:1"], "worker": ["d:1"]}
    assert devices_of(graph, "", cluster=cluster)[:3] == [f"/job:ps/task:{task}" for task in (0, 1, 2)]


def test_without_servers_there_is_no_setter():
    assert replica_device_setter() is None
    assert replica_device_setter(cluster={"worker": ["a:1"]}) is None


def test_the_greedy_strategy_balances_bytes(graph):
    """Sizes 40, 8, 12, 4: the first server holds the big one, the second all the others."""
    strategy = GreedyLoadBalancingStrategy(2, byte_size_load_fn)
    tasks = devices_of(graph, "", shapes=((10,), (2,), (3,), (1,)), ps_tasks=2, ps_strategy=strategy)
    assert tasks[:4] == ["/job:ps/task:0", "/job:ps/task:1", "/job:ps/task:1", "/job:ps/task:1"]


def test_sizes_must_be_known(graph):
    with pytest.raises(ValueError, match="Op v needs a fully known shape"):
        byte_size_load_fn(toys.variable(dtype=dtypes.float32, shape=None, name="v").op)


def test_a_strategy_must_be_callable():
    with pytest.raises(TypeError, match="ps_strategy must be callable"):
        replica_device_setter(ps_tasks=1, ps_strategy=3)
