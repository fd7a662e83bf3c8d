"""Programs with conditionals, loops and their gradients, which TensorFlow and Millstream both run.

`programs(tf)` builds them all with either module and returns their tensors by name: the value, its gradients by what it was
made of, and the second derivatives.
"""

from typing import Any


def programs(tf: Any) -> dict[str, list[Any]]:
    """Build the programs in the default graph of `tf`."""
    made: dict[str, list[Any]] = {}
    x = tf.constant(1.3)
    true, false = tf.placeholder_with_default(True, []), tf.placeholder_with_default(False, [])

    def add(name: str, y: Any, *xs: Any) -> None:
        firsts = tf.gradients(y, list(xs))
        made[name] = [y, *firsts]
        for first in firsts:
            made[name] += [second for second in tf.gradients(first, list(xs)) if second is not None]

    def cube() -> Any:
        return x * x * x

    def wave() -> Any:
        return tf.sin(x * x) * x

    def loop_of_x() -> Any:
        return tf.while_loop(lambda i, y: i < 3, lambda i, y: [i + 1, tf.sin(y * x) * y], [0, x])[1]

    def loop_inside(i: Any, y: Any) -> list[Any]:
        return [i + 1, tf.while_loop(lambda j, w: j < 2, lambda j, w: [j + 1, w * y * x], [0, y])[1]]

    def cond_inside(i: Any, y: Any) -> list[Any]:
        return [i + 1, tf.cond(tf.equal(i % 2, 0), lambda: y * y * x, lambda: tf.sin(y) + x)]

    add("cond_taken", tf.cond(true, cube, wave), x)
    add("cond_not_taken", tf.cond(false, cube, wave), x)
    add("cond_in_cond", tf.cond(true, lambda: tf.cond(false, cube, wave) * x, cube), x)
    add("power", tf.while_loop(lambda i, y: i < 4, lambda i, y: [i + 1, y * x], [0, tf.constant(2.0)])[1], x)
    z = tf.constant([1.0, 2.0])
    add("tanh", tf.while_loop(lambda i, y: i < 3, lambda i, y: [i + 1, tf.tanh(y * x) + y], [0, z])[1], x, z)
    add("loop_in_loop", tf.while_loop(lambda i, y: i < 2, loop_inside, [0, tf.constant(1.1)])[1], x)
    add("cond_in_loop", tf.while_loop(lambda i, y: i < 4, cond_inside, [0, tf.constant(1.1)])[1], x)
    add("loop_in_cond", tf.cond(true, loop_of_x, lambda: x), x)
    add("loop_in_cond_not_taken", tf.cond(false, loop_of_x, lambda: x * x), x)
    add("no_iteration", tf.while_loop(lambda i, y: i < 0, lambda i, y: [i + 1, y * x], [0, x * x])[1], x)
    start = tf.placeholder_with_default(tf.ones([2]), [None])
    growing = tf.while_loop(
        lambda i, y: i < 2, lambda i, y: [i + 1, tf.concat([y, y * x], 0)], [0, start],
        shape_invariants=[tf.TensorShape([]), tf.TensorShape([None])],
    )  # fmt: skip
    add("growing", growing[1], x, start)
    table = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    gathering = tf.while_loop(lambda i, y: i < 3, lambda i, y: [i + 1, y * y + tf.gather(table, i)], [0, z])[1]
    add("gathering", gathering, z)
    return made
