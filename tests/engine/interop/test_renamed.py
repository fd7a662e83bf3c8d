"""What is said of names that TensorFlow 1 itself had given up: each replacement exists, and no name in the table does."""

import operator

import pytest

import millstream as ms
from millstream.engine.interop import renamed


@pytest.mark.parametrize("old", renamed._REPLACED)
def test_only_what_is_gone_is_replaced_by_what_is_there(old):
    assert operator.attrgetter(renamed._REPLACED[old].removeprefix("tf."))(ms) is not None
    with pytest.raises(AttributeError):
        operator.attrgetter(old.removeprefix("tf."))(ms)


def test_words():
    assert renamed.words_for("tf.matmul") == ""
    assert renamed.words_for("tf.mul") == "; TensorFlow 1 has tf.multiply in its place"
    assert renamed.words_for("tf.batch_matmul").endswith(" (adj_x and adj_y are adjoint_a and adjoint_b)")
    assert set(renamed._CHANGED) <= set(renamed._REPLACED)
