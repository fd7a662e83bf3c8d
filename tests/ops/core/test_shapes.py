"""TensorShape and Dimension against TensorFlow's answers; the functions on plain tuples by their properties."""

import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from millstream.ops.core import shapes
from millstream.ops.core.shapes import Dimension, TensorShape
from support import core_values

# A negative number is no dimension to TensorFlow; here the result of an addition must be one, not its parts.
DIFFERENCES = {"D(3)+-1": "Dimension(2)"}
SIZES = st.one_of(st.none(), st.integers(0, 4))
RANKED = st.lists(SIZES, max_size=4).map(tuple)
SHAPES = st.one_of(st.none(), RANKED)
STATIC = st.lists(st.integers(0, 3), max_size=3).map(tuple)


@pytest.mark.parametrize(("case", "answer"), core_values.cases("shapes", errors=False))
def test_answers_are_tensorflows(case, answer):
    assert repr(core_values.evaluate(case)) == answer


@pytest.mark.parametrize(("case", "answer"), core_values.cases("shapes", errors=True, except_for=DIFFERENCES))
def test_errors_are_tensorflows(case, answer):
    with pytest.raises((TypeError, ValueError, LookupError, ArithmeticError)) as raised:
        core_values.evaluate(case)
    assert f"!{raised.type.__name__}" == answer


@pytest.mark.parametrize(("case", "answer"), DIFFERENCES.items())
def test_answers_that_differ(case, answer):
    assert repr(core_values.evaluate(case)) == answer


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("D(-1)", "Dimension -1 must be >= 0"),
        ("D(3).merge_with(4)", "Dimensions 3 and 4 are not compatible"),
        ("D(7)/2", "unsupported operand type(s) for /: 'Dimension' and 'int', please use // instead"),
        ("7/D(2)", "unsupported operand type(s) for /: 'int' and 'Dimension', please use // instead"),
        ("len(S(None))", "Cannot take the length of shape with unknown rank."),
        ("S(None)[1:3:2]", "Steps are not yet handled"),
        ("S(None).as_list()", "as_list() is not defined on an unknown TensorShape."),
        ("S([1,None]).merge_with([3,2])", "Shapes (1, ?) and (3, 2) are not compatible"),
        ("S([1]).assert_is_compatible_with([2])", "Shapes (1,) and (2,) are incompatible"),
        ("S([1]).assert_same_rank([2,3])", "Shapes (1,) and (2, 3) must have the same rank"),
        ("S([1]).with_rank(2)", "Shape (1,) must have rank 2"),
        ("S([1]).with_rank_at_least(2)", "Shape (1,) must have rank at least 2"),
        ("S([1,2]).with_rank_at_most(1)", "Shape (1, 2) must have rank at most 1"),
        ("S([1,None]).assert_is_fully_defined()", "Shape (1, ?) is not fully defined"),
    ],
)
def test_words(case, message):
    with pytest.raises((TypeError, ValueError)) as raised:
        core_values.evaluate(case)
    assert str(raised.value) == message


@given(SHAPES)
def test_every_form_of_a_shape_is_read_back(shape):
    public = shapes.to_public(shape)
    forms = [public, public.as_proto(), shapes.to_proto(shape), public.dims, pickle.loads(pickle.dumps(public))]
    assert all(shapes.as_shape_tuple(form) == shape for form in forms)
    assert hash(public) == hash(TensorShape(shape)) and public == TensorShape(shape)
    assert shapes.as_shape(public) is public


def test_dimensions_of_a_shape_are_plain_ints():
    dims = shapes.as_shape_tuple([np.int64(2), Dimension(3), None, True])
    assert dims == (2, 3, None, 1)
    assert [type(dim) for dim in dims] == [int, int, type(None), int]


def test_whole_floats_are_dimensions_and_others_are_not():
    assert shapes.as_shape_tuple([32.0, np.float32(3), 64 / 2]) == (32, 3, 32)
    assert (TensorShape([None, 28 / 2]).as_list(), Dimension(4.0).value) == ([None, 14], 4)
    for value in (2.5, np.inf, np.nan):
        with pytest.raises(TypeError, match="Dimension value must be integer or None"):
            shapes.as_shape_tuple([value])
    with pytest.raises(ValueError, match="Dimension -1 must be >= 0"):
        Dimension(-1.0)


def test_a_dimension_has_no_hash():
    with pytest.raises(TypeError, match="unhashable"):
        hash(Dimension(3))


def test_unknown_shape():
    assert shapes.unknown_shape().rank is None
    assert shapes.unknown_shape(2).as_list() == shapes.unknown_shape(ndims=2).as_list() == [None, None]


@given(SHAPES, SHAPES)
def test_merge_keeps_what_either_knows(a, b):
    assume(shapes.compatible(a, b))
    merged = shapes.merge(a, b)
    assert merged == shapes.merge(b, a)
    assert shapes.merge(merged, a) == merged
    assert shapes.to_public(a).merge_with(b) == TensorShape(merged)


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(SHAPES, SHAPES)
def test_merge_raises_where_shapes_are_not_compatible(a, b):
    assume(not shapes.compatible(a, b))
    with pytest.raises(ValueError, match=r"must be equal"):
        shapes.merge(a, b)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ((3,), (4,), "Dimension 0 in both shapes must be equal, but are 3 and 4. Shapes are [3] and [4]."),
        ((None, 2), (1, 5), "Dimension 1 in both shapes must be equal, but are 2 and 5. Shapes are [?,2] and [1,5]."),
        ((1,), (1, 2), "Shapes must be equal rank, but are 1 and 2"),
    ],
)
def test_merge_words(a, b, message):
    with pytest.raises(ValueError) as raised:
        shapes.merge(a, b)
    assert str(raised.value) == message


@given(STATIC, STATIC)
def test_broadcast_of_known_shapes_is_numpys(a, b):
    try:
        expected = np.broadcast_shapes(a, b)
    except ValueError:
        with pytest.raises(ValueError, match=r"Dimensions must be equal, but are \d and \d"):
            shapes.broadcast(a, b)
    else:
        assert shapes.broadcast(a, b) == shapes.broadcast(b, a) == expected


@given(STATIC, STATIC, st.data())
def test_broadcast_of_partly_known_shapes_never_contradicts(a, b, data):
    """Forgetting dimensions of two arrays may lose knowledge of the result, but never makes it wrong."""
    try:
        actual = np.broadcast_shapes(a, b)
    except ValueError:
        assume(False)
    forget = [data.draw(st.tuples(*(st.sampled_from([dim, None]) for dim in shape))) for shape in (a, b)]
    assert shapes.compatible(shapes.broadcast(*forget), actual)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((2, None), (3,), (2, 3)), ((2, None), (1,), (2, None)), ((None,), (None,), (None,)), ((None,), (0,), (None,)),
        (None, (1,), None), ((), (2, None), (2, None)), ((None, 1), (None, 4), (None, 4)),
    ],
)  # fmt: skip
def test_broadcast_with_unknown_dimensions(a, b, expected):
    assert shapes.broadcast(a, b) == shapes.broadcast(b, a) == expected


def test_broadcast_all():
    assert shapes.broadcast_all([]) == ()
    assert shapes.broadcast_all([(2, 1), (3,), ()]) == (2, 3)


def test_dimensions_merge():
    assert shapes.merge_dim(None, 3) == shapes.merge_dim(3, None) == shapes.merge_dim(3, 3) == 3
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 3 and 4"):
        shapes.merge_dim(3, 4)


@given(SHAPES)
def test_static_shapes_have_a_number_of_elements(shape):
    assert (shapes.num_elements(shape) is not None) == shapes.is_static(shape)
    assert shapes.num_elements(shape) == shapes.to_public(shape).num_elements()
    assert shapes.rank(shape) == shapes.to_public(shape).rank


@given(SHAPES, SHAPES)
def test_concatenate_as_the_public_class_does(a, b):
    assert shapes.concatenate(a, b) == shapes.as_shape_tuple(shapes.to_public(a).concatenate(b))


def test_slices():
    assert shapes.slice_dims((1, 2, 3), 1) == (2, 3)
    assert shapes.slice_dims((1, 2, 3), None, -1) == (1, 2)
    assert shapes.slice_dims(None, 1) is None


def test_ranks():
    assert shapes.with_rank(None, 2) == (None, None)
    assert shapes.with_rank((1, None), 2) == (1, None)
    assert shapes.with_rank_at_least(None, 2) is None
    for check, message in (
        (shapes.with_rank, "Shape must be rank 2 but is rank 1"),
        (shapes.with_rank_at_least, "Shape must be at least rank 2 but is rank 1"),
    ):
        with pytest.raises(ValueError, match=message):
            check((3,), 2)
    with pytest.raises(ValueError, match="Shape must be at most rank 2 but is rank 3"):
        shapes.with_rank_at_most((1, 1, 1), 2)


@pytest.mark.parametrize(
    ("shape", "public", "brackets"),
    [(None, "<unknown>", "?"), ((), "()", "[]"), ((3,), "(3,)", "[3]"), ((2, None), "(2, ?)", "[2,?]")],
)
def test_printing(shape, public, brackets):
    assert shapes.format_shape(shape) == public
    assert shapes.format_brackets(shape) == brackets
