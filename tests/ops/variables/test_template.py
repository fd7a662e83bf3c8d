"""Templates share variables between calls."""

import pytest

import millstream as tf

pytestmark = pytest.mark.usefixtures("graph")


@pytest.fixture
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def scaled(x, by="factor"):
    return x * tf.get_variable(by, [], initializer=tf.ones_initializer())


def names():
    return [v.op.name for v in tf.trainable_variables()]


def test_calls_share():
    template = tf.make_template("scale", scaled, by="f")
    first, second = template(tf.constant(1.0)), template(tf.constant(2.0))
    assert names() == ["scale/f"] == [v.op.name for v in template.variables]
    assert (first.op.name, second.op.name) == ("scale/mul", "scale_1/mul")
    assert template.variable_scope_name == "scale/" and template.trainable_variables == tf.trainable_variables()
    assert template.local_variables == template.non_trainable_variables == []


def test_templates_do_not_share():
    one, other = tf.make_template("scale", scaled), tf.make_template("scale", scaled)
    for template in (one, other, one):
        template(tf.constant(1.0))
    assert names() == ["scale/factor", "scale_1/factor"]


def test_a_scope_settled_at_once():
    early = tf.make_template("s", scaled, create_scope_now_=True)
    late = tf.make_template("s", scaled)
    assert early.variable_scope_name == "s/" and late.variable_scope is None and late.variables == []
    late(tf.constant(1.0))
    early(tf.constant(1.0))
    early(tf.constant(1.0))
    assert names() == ["s_1/factor", "s/factor"]


def test_a_name_as_it_stands():
    one = tf.make_template("s", scaled, unique_name_="same")
    other = tf.make_template("s", scaled, unique_name_="same")
    one(tf.constant(1.0))
    with pytest.raises(ValueError, match="Variable same/factor already exists"):
        other(tf.constant(1.0))


def test_a_getter():
    asked = []

    def getter(getter, name, *args, **kwargs):
        asked.append(name)
        return getter(name, *args, **kwargs)

    template = tf.make_template("s", scaled, custom_getter_=getter)
    template(tf.constant(1.0))
    template(tf.constant(1.0))
    assert asked == ["s/factor", "s/factor"]


def test_variables_that_are_made_anew_are_refused():
    template = tf.make_template("s", lambda: tf.Variable(1.0, name="v"))
    template()
    with pytest.raises(
        ValueError, match="Trainable variable created when calling a template after the first time"
    ) as caught:
        template()
    assert "test_template.py" in caught.value.__notes__[0]


@pytest.mark.parametrize("now", [False, True])
def test_a_first_call_that_fails_may_come_again(now):
    shapes = [None, [2], [2]]

    def made():
        return tf.get_variable("v", shapes.pop(0))

    with tf.Graph().as_default():
        template = tf.make_template("t", made, create_scope_now_=now)
        with pytest.raises(ValueError, match="its `shape` argument must be specified"):
            template()
        assert template() is template()
