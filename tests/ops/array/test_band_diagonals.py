"""Several diagonals at once, against loops over the matrices' elements; the loops agree with TensorFlow on all of these cases."""

import numpy as np
import pytest

import millstream as tf
from millstream.ops import array as m
from support.opcheck import Row, row_tests, table

WIDE = np.arange(1.0, 31).reshape(2, 3, 5)
TALL = np.arange(1.0, 17).reshape(2, 4, 2)
SQUARE = np.arange(1.0, 10).reshape(3, 3)
BANDS = {"main": (0, 0), "above": (1, 1), "below": (-1, -1), "band": (-1, 1), "upper": (0, 1), "lower": (-1, 0)}
ALIGNS = ("LEFT_LEFT", "RIGHT_LEFT", "LEFT_RIGHT", "RIGHT_RIGHT")


def places(rows, columns, low, high, align):
    """Yields (row, place in the packed form, i, j) of every element of the band."""
    longest = max(sum(1 for i in range(rows) if 0 <= i + d < columns) for d in range(low, high + 1))
    above, below = align.split("_")
    for d in range(high, low - 1, -1):
        elements = [(i, i + d) for i in range(rows) if 0 <= i + d < columns]
        left = (d >= 0 and above == "LEFT") or (d <= 0 and below == "LEFT")
        start = 0 if left else longest - len(elements)
        for n, (i, j) in enumerate(elements):
            yield high - d, start + n, i, j


def part(x, k, padding=0.0, align="LEFT_LEFT"):
    found = list(places(*x.shape[-2:], *k, align))
    longest = 1 + max(place for _, place, _, _ in found)
    made = np.full((*x.shape[:-2], k[1] - k[0] + 1, longest), padding)
    for row, place, i, j in found:
        made[..., row, place] = x[..., i, j]
    return made[..., 0, :] if k[0] == k[1] else made


def put(x, diagonal, k, align="LEFT_LEFT"):
    made, packed = x.copy(), diagonal if k[0] != k[1] else diagonal[..., None, :]
    for row, place, i, j in places(*x.shape[-2:], *k, align):
        made[..., i, j] = packed[..., row, place]
    return made


def rows():
    for name, k in BANDS.items():
        for what, x in (("wide", WIDE), ("tall", TALL), ("square", SQUARE)):
            size = x.shape[-2:]
            given, label = part(x, k), f"{name}_{what}"
            yield Row("MatrixDiagPartV2", lambda x, k=k: m.matrix_diag_part(x, k=list(k), padding_value=9),
                      [x], lambda x, k=k: part(x, k, 9), gradient=True, label=label)  # fmt: skip
            yield Row("MatrixDiagV2",
                      lambda d, k=k, s=size: m.matrix_diag(d, k=list(k), num_rows=s[0], num_cols=s[1], padding_value=7),
                      [given], lambda d, k=k, x=x: put(np.full(x.shape, 7.0), d, k), gradient=True, label=label)  # fmt: skip
            yield Row("MatrixSetDiagV2", lambda x, d, k=k: m.matrix_set_diag(x, d, k=np.array(k, np.int32)),
                      [x, -given], lambda x, d, k=k: put(x, d, k), gradient=True, label=label)  # fmt: skip
    for align in ALIGNS:
        k, given = (-1, 2), part(WIDE, (-1, 2), align=align)
        yield Row("MatrixDiagPartV3", lambda x, k=k, a=align: m.matrix_diag_part(x, k=list(k), align=a),
                  [WIDE], lambda x, k=k, a=align: part(x, k, align=a), gradient=True, label=align)  # fmt: skip
        yield Row("MatrixDiagV3", lambda d, k=k, a=align: m.matrix_diag(d, k=list(k), num_rows=3, num_cols=5, align=a),
                  [given], lambda d, k=k, a=align: put(np.zeros((2, 3, 5)), d, k, a),
                  gradient=True, label=align)  # fmt: skip
        yield Row("MatrixSetDiagV3", lambda x, d, k=k, a=align: m.matrix_set_diag(x, d, k=list(k), align=a),
                  [WIDE, -given], lambda x, d, k=k, a=align: put(x, d, k, a), gradient=True, label=align)  # fmt: skip


test_forward, test_in_sessions, test_gradient = row_tests(table(*rows()))


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda x: m.matrix_diag_part(x, k=[2, 1]), "lower_diag_index must not be larger than upper_diag_index: 2 > 1"),
        (lambda x: m.matrix_diag_part(x, k=[0, 1, 2]), "must have only one or two elements, received 3"),
        (lambda x: m.matrix_diag_part(x, k=5), "lower_diag_index is out of bound: 5. It must be between -3 and 4"),
        (lambda x: m.matrix_diag(x, k=[0, 1]), "number of diagonals provided in the input does not match"),
        (lambda x: m.matrix_diag(x, k=[0, 2], num_rows=2), "The number of rows is too small"),
        (lambda x: m.matrix_diag(x, k=[0, 2], num_cols=3), "The number of columns is too small"),
        (lambda x: m.matrix_diag(x, k=[0, 2], num_rows=9, num_cols=9), "not consistent with the specified"),
        (lambda x: m.matrix_set_diag(x, x, k=1), "Either first dimensions of diagonal don't match"),
    ],
)  # fmt: skip
def test_what_does_not_fit(build, words):
    refused = pytest.raises((ValueError, tf.errors.InvalidArgumentError), match=words)
    with tf.Graph().as_default(), tf.Session() as session, refused:
        session.run(build(tf.ones([2, 3, 4])))


def test_plain_calls_make_the_plain_ops():
    with tf.Graph().as_default():
        assert tf.matrix_diag([1.0]).op.type == "MatrixDiag"
        assert tf.matrix_diag_part([[1.0]]).op.type == "MatrixDiagPart"
        assert tf.matrix_set_diag([[1.0]], [1.0]).op.type == "MatrixSetDiag"
