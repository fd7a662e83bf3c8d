"""Optimisers' updates that take their gradient's factors: what they give with and without, and what stays as it was."""

from typing import Any

import numpy as np
import pytest

import millstream as tf
from millstream.devices import onednn
from millstream.devices.fusion import compiled, team
from millstream.engine.compiler.ir import parts_of
from millstream.engine.compiler.rewrite import descent
from millstream.ops.state import large

pytestmark = pytest.mark.skipif(
    not (onednn.available() and team.available()), reason="needs numba, oneDNN and two threads"
)
RNG = np.random.default_rng(3)
X, DY = RNG.standard_normal((64, 640)).astype("f4"), RNG.standard_normal((64, 256)).astype("f4") / 50
W = RNG.standard_normal((640, 256)).astype("f4")
OPTIMIZERS = {
    "adam": lambda: tf.train.AdamOptimizer(0.01),
    "rmsprop": lambda: tf.train.RMSPropOptimizer(0.01, centered=True),
    "ftrl": lambda: tf.train.FtrlOptimizer(0.1),
}


class Layer:
    """A dense layer's weights, which an optimiser changes by the product that is their gradient."""

    def __init__(self, optimizer: Any, use_resource: bool = False, gradient: Any = None) -> None:
        self.graph = tf.Graph()
        with self.graph.as_default():
            self.w = tf.get_variable("w", initializer=W, use_resource=use_resource)
            self.x, self.dy = (tf.placeholder(tf.float32, [None, n]) for n in (640, 256))
            self.gradient = tf.matmul(self.x, self.dy, transpose_a=True) if gradient is None else gradient(self)
            self.step = optimizer().apply_gradients([(self.gradient, self.w)])
            self.sess = tf.Session()
            self.sess.run(tf.global_variables_initializer())
            self.variables = tf.global_variables()

    def run(self, fetches: Any = None, x: Any = X, dy: Any = DY) -> Any:
        try:
            return self.sess.run(self.step if fetches is None else fetches, {self.x: x, self.dy: dy})
        finally:
            compiled.settle()

    def values(self) -> list[Any]:
        return self.sess.run(self.variables)

    def folded(self) -> bool:
        steps = self.sess.plan(self.step, [self.x, self.dy]).block.steps
        return any([part.op.type for part in parts_of(s)][:1] == ["MatMul"] and len(parts_of(s)) == 2 for s in steps)


def unfolded(monkeypatch: Any, *arguments: Any) -> Layer:
    with monkeypatch.context() as patch:
        patch.setattr(descent, "DENSE", frozenset())
        made = Layer(*arguments)
        made.run()
        assert not made.folded()
    return made


@pytest.mark.parametrize("use_resource", [False, True])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_updates_are_the_same(name: str, use_resource: bool, monkeypatch: Any) -> None:
    by_pieces: list[bool] = []
    found = large.by_product
    monkeypatch.setattr(
        "millstream.ops.state.updates.by_product", lambda *a: by_pieces.append(found(*a)) or by_pieces[-1]
    )
    whole, pieces = unfolded(monkeypatch, OPTIMIZERS[name], use_resource), Layer(OPTIMIZERS[name], use_resource)
    assert pieces.folded()
    pieces.run()
    for rows in (64, 64, 64, 1, 63, 64):
        for layer in (whole, pieces):
            layer.run(x=X[:rows], dy=DY[:rows])
    # Its powers stay with NumPy.
    assert by_pieces[-1] == (name != "ftrl")
    for one, other in zip(whole.values(), pieces.values(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def test_what_somebody_holds_stays_and_nothing_is_lost() -> None:
    layer = Layer(OPTIMIZERS["adam"])
    for _ in range(6):
        layer.run()
    cell = next(c for c in layer.sess._variables if c.name == "w")
    held = cell.read()
    kept = held.copy()
    layer.run()
    np.testing.assert_array_equal(held, kept)
    assert not np.array_equal(layer.values()[0], kept)


def test_a_gradient_that_is_fetched_is_made() -> None:
    layer = Layer(OPTIMIZERS["adam"])
    for _ in range(6):
        found, _ = layer.run([layer.gradient, layer.step])
        np.testing.assert_allclose(found, X.T @ DY, rtol=1e-4, atol=1e-4)


def test_a_product_of_the_variable_itself_is_made_first(monkeypatch: Any) -> None:
    def of_itself(layer: Layer) -> Any:
        return tf.matmul(tf.matmul(layer.w, layer.w, transpose_b=True), layer.w) / 1e4

    def last(layer: Layer) -> Any:
        return tf.matmul(tf.constant(np.eye(640, dtype="f4")), layer.w)

    for gradient in (of_itself, last):
        layer = Layer(OPTIMIZERS["rmsprop"], False, gradient)
        assert not layer.folded()


@pytest.mark.parametrize("dy", [DY[:5], np.full_like(DY, np.nan)])
def test_bad_input_fails_whole_or_passes_on(dy: Any) -> None:
    layer = Layer(OPTIMIZERS["adam"])
    for _ in range(6):
        layer.run()
    before = [np.array(value) for value in layer.values()]
    if len(dy) == len(X):
        layer.run(dy=dy)
        assert np.isnan(layer.values()[0]).all()
        return
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"Matrix size-incompatible.*\n.*node 'MatMul'"):
        layer.run(dy=dy)
    for one, other in zip(before, layer.values(), strict=True):
        np.testing.assert_array_equal(one, other)
