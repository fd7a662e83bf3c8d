"""Einsums as products of matrices, against NumPy's: random labels in random orders, axes of 1, types, what is left to NumPy."""

import numpy as np
import pytest

import millstream as tf
from millstream.ops.core.registry import lookup
from millstream.ops.linalg import contraction
from millstream.ops.linalg.contraction import contracted

RNG = np.random.default_rng(21)


def some_of(labels):
    return "".join(RNG.permutation(list(labels))[: RNG.integers(0, len(labels) + 1)])


def numbers(labels, sizes):
    return np.asarray(RNG.normal(size=[1 if RNG.random() < 0.2 else sizes[label] for label in labels]))


def test_random_labels_give_numpys_sums(monkeypatch):
    monkeypatch.setattr(contraction, "_LEAST", 1)
    products = 0
    for _ in range(600):
        sizes = {label: int(RNG.integers(1, 5)) for label in "abcde"[: RNG.integers(1, 6)]}
        of_a, of_b = some_of(sizes), some_of(sizes)
        result = some_of("".join(sorted(set(of_a + of_b)))) if of_a or of_b else ""
        a, b = numbers(of_a, sizes), numbers(of_b, sizes)
        made, wanted = contracted(a, of_a, b, of_b, result), np.einsum(f"{of_a},{of_b}->{result}", a, b)
        if made is not None:
            products += 1
            assert made.shape == wanted.shape and made.flags.c_contiguous
            np.testing.assert_allclose(made, wanted, rtol=1e-10, atol=1e-10)
    assert products > 60


@pytest.mark.parametrize(
    "equation", ["bhqd,bkhd->bhqk", "...ij,jk->...ik", "bij,bjk->ki", "bij,jk->b", "nhwc,cd->nhwd", "ab,bad->"]
)
def test_ops_of_some_size_are_products_of_matrices(equation, monkeypatch):
    axes = dict(zip("abcdhijknqw", (40, 8, 9, 24, 5, 20, 30, 25, 3, 22, 21), strict=True))
    shapes = [[2] * left.count("...") + [axes[label] for label in left.replace("...", "")]
              for left in equation.partition("->")[0].split(",")]  # fmt: skip
    for dtype, tolerance in (("f4", 1e-3), ("f8", 1e-9), ("c8", 1e-3)):
        a, b = (RNG.normal(size=shape).astype(dtype) for shape in shapes)
        wanted = np.einsum(equation, a, b)
        with monkeypatch.context() as patch:
            patch.setattr(np, "einsum", lambda *args, **kwargs: pytest.fail("computed by loops"))
            made = lookup("Einsum").kernels_for("CPU")[0].function(np, [a, b], equation=equation)
        assert made.dtype == a.dtype
        np.testing.assert_allclose(made, wanted, rtol=tolerance, atol=tolerance)


def test_gradients_of_large_einsums_are_products_too():
    with tf.Graph().as_default(), tf.Session() as sess:
        x, y = (tf.constant(RNG.normal(size=dims)) for dims in ((6, 20, 15), (15, 6, 30)))
        dz = RNG.normal(size=(30, 6, 20))
        dx, dy = tf.gradients(tf.einsum("bij,jbk->kbi", x, y), [x, y], tf.constant(dz))
        by_x, by_y, a, b = sess.run([dx, dy, x, y])
    np.testing.assert_allclose(by_x, np.einsum("kbi,jbk->bij", dz, b), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(by_y, np.einsum("kbi,bij->jbk", dz, a), rtol=1e-9, atol=1e-9)


def test_what_is_no_product_of_matrices_is_left_to_numpy():
    x, y = RNG.normal(size=(20, 20)), RNG.normal(size=(20, 20))
    for of_x, of_y, result in (("ij", "kl", "ijkl"), ("ii", "ij", "j"), ("ij", "ij", "ij")):
        assert contracted(x, of_x, y, of_y, result) is None
    assert contracted(x.astype("i4"), "ij", y.astype("i4"), "jk", "ik") is None
    assert contracted(x[:3, :3], "ij", y[:3, :3], "jk", "ik") is None
