"""arg_scope: which arguments reach which calls."""

import pytest

import millstream as tf

framework = tf.contrib.framework


@framework.add_arg_scope
def first(a, b=1, c=2):
    return a, b, c


@framework.add_arg_scope
def second(a, b=1):
    return a, b


def test_defaults_overrides_and_nesting():
    with framework.arg_scope([first, second], b=10):
        assert (first(0), second(0), first(0, b=3)) == ((0, 10, 2), (0, 10), (0, 3, 2))
        with framework.arg_scope([first], b=20, c=30):
            assert (first(0), second(0)) == ((0, 20, 30), (0, 10))
        assert first(0) == (0, 10, 2)
    assert first(0) == (0, 1, 2)


def test_scopes_may_be_kept():
    with framework.arg_scope([first], b=10) as kept:
        pass
    with framework.arg_scope([second], b=5), framework.arg_scope(kept):
        assert (first(0), second(0)) == ((0, 10, 2), (0, 1))
    assert first(0) == (0, 1, 2)


def test_a_scope_ends_with_an_error():
    with pytest.raises(RuntimeError), framework.arg_scope([first], b=10):
        raise RuntimeError
    assert first(0) == (0, 1, 2)


def test_questions():
    assert framework.has_arg_scope(first) and not framework.has_arg_scope(len)
    assert framework.arg_scoped_arguments(first) == ("b", "c")
    assert framework.has_arg_scope(tf.contrib.slim.conv2d) and tf.contrib.slim.arg_scope is framework.arg_scope


@pytest.mark.parametrize(
    "scope, arguments, kind, words",
    [
        ([len], {"b": 1}, ValueError, "is not decorated with @add_arg_scope"),
        (3, {"b": 1}, TypeError, "list_ops_or_scope must either be a list/tuple or reused scope"),
        ({}, {"b": 1}, ValueError, "kwargs must be empty"),
    ],
)
def test_refusals(scope, arguments, kind, words):
    with pytest.raises(kind, match=words), framework.arg_scope(scope, **arguments):
        pass
