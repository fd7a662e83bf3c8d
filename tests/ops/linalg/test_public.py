"""Functions of matrices as people call them: composed ones, shapes, and errors that tell what is wrong."""

import numpy as np
import pytest
import scipy.linalg

import millstream as tf

RNG = np.random.default_rng(6)
M = RNG.uniform(-1, 1, (2, 3, 3)) + 2 * np.eye(3)
TALL = RNG.uniform(-1, 1, (4, 2))
POSITIVE = M @ np.swapaxes(M, -1, -2)


def value(tensor):
    with tf.Session(graph=tf.get_default_graph()) as session:
        return session.run(tensor)


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


@pytest.mark.parametrize(
    "build, expected",
    [
        (lambda: tf.trace(M), np.trace(M, axis1=1, axis2=2)),
        (lambda: tf.linalg.logdet(POSITIVE), np.linalg.slogdet(POSITIVE)[1]),
        (lambda: tf.linalg.pinv(TALL), np.linalg.pinv(TALL)),
        (lambda: tf.linalg.matrix_rank(np.array([[1.0, 2.0], [2.0, 4.0]])), 1),
        (lambda: tf.linalg.matvec(M, M[:, 0]), np.einsum("bij,bj->bi", M, M[:, 0])),
        (lambda: tf.cholesky_solve(tf.cholesky(POSITIVE), M), np.linalg.solve(POSITIVE, M)),
        (lambda: tf.eye(2, 3), np.eye(2, 3)),
        (lambda: tf.eye(2, batch_shape=[2], dtype=tf.int32), np.stack([np.eye(2, dtype=np.int32)] * 2)),
        (lambda: tf.eye(tf.constant(2), tf.constant(3)), np.eye(2, 3)),
        (lambda: tf.linalg.normalize(TALL)[0], TALL / np.linalg.norm(TALL)),
        (lambda: tf.linalg.tridiagonal_solve([[1.0, 1], [4.0, 4, 4], [2.0, 2]], [1.0, 2, 3], "sequence"),
         np.linalg.solve(np.array([[4.0, 1, 0], [2, 4, 1], [0, 2, 4]]), [1.0, 2, 3])),
        (lambda: tf.linalg.tridiagonal_matmul(np.diag([1.0, 2, 3]), np.eye(3), "matrix"), np.diag([1.0, 2, 3])),
        (lambda: tf.linalg.sqrtm(POSITIVE[0]), scipy.linalg.sqrtm(POSITIVE[0])),
    ],
)  # fmt: skip
def test_values(build, expected):
    np.testing.assert_allclose(value(build()), expected, rtol=1e-5, atol=1e-6)


def test_static_shapes():
    x = tf.placeholder(tf.float32, [None, 5, 3])
    s, u, v = tf.svd(x)
    q, r = tf.qr(x, full_matrices=True)
    shapes = [t.shape.as_list() for t in (s, u, v, q, r, tf.matrix_solve_ls(x, x))]
    assert shapes == [[None, 3], [None, 5, 3], [None, 3, 3], [None, 5, 5], [None, 5, 3], [None, 3, 3]]
    assert tf.einsum("bij,bjk->ik", x, tf.placeholder(tf.float32, [None, 3, 7])).shape.as_list() == [5, 7]


@pytest.mark.parametrize(
    "build, words",
    [
        (lambda: tf.matrix_inverse(tf.zeros([2, 3])), "Dimensions must be equal|2 and 3"),
        (lambda: tf.einsum("ij,jk", tf.zeros([2, 3])), "has 2 operands, got 1"),
        (lambda: tf.einsum("ij->ik", tf.zeros([2, 3])), "in its result, but in no operand"),
        (lambda: tf.einsum("ijk->i", tf.zeros([2, 3])), "of a tensor of rank 2"),
        (lambda: tf.einsum("i1->i", tf.zeros([2, 3])), "may hold letters"),
        (lambda: tf.linalg.tridiagonal_solve(tf.zeros([3, 3]), tf.zeros([3]), "diagonal"), "diagonals_format"),
    ],
)
def test_mistakes_while_building(build, words):
    with pytest.raises(ValueError, match=words):
        build()


@pytest.mark.parametrize(
    "build, words",
    [
        (lambda: tf.matrix_inverse(tf.zeros([2, 2])), "not invertible"),
        (lambda: tf.matrix_solve(tf.zeros([2, 2]), tf.ones([2, 1])), "not invertible"),
        (lambda: tf.matrix_triangular_solve(tf.zeros([2, 2]), tf.ones([2, 1])), "not invertible"),
        (lambda: tf.cholesky(-tf.eye(2)), "Cholesky decomposition was not successful"),
        (lambda: tf.matrix_solve_ls(tf.zeros([3, 2]), tf.ones([3, 1])), "rank deficient"),
        (lambda: tf.matrix_inverse(tf.placeholder_with_default(np.zeros((2, 3)), None)), "must be square"),
    ],
)
def test_mistakes_while_running(build, words):
    tensor = build()
    with pytest.raises(tf.errors.InvalidArgumentError, match=words):
        value(tensor)


def test_what_has_no_real_root_has_one_that_is_no_number():
    assert np.isnan(value(tf.linalg.sqrtm(np.diag([-1.0, -2.0])))).all()
