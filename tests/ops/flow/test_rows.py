"""Conditionals, loops and lists, row by row: values, gradients to second order, on the CPU and on a simulated GPU."""

import numpy as np

import millstream as tf
from millstream.ops.core.registry import lookup
from support.opcheck_programs import Program, program_table, program_tests

X = np.array([0.5, -1.25, 2.0])
Y = np.array([1.5, 0.75, -0.5])


def branches(pred, x):
    return tf.cond(pred, lambda: tf.sin(x) * x, lambda: x * x * x)


def powers(n, x):
    """Returns x ** (n + 1), by a loop whose every step needs the one before."""
    return tf.while_loop(lambda i, y: i < n, lambda i, y: (i + 1, y * tf.sin(y) + x), (tf.constant(0), x))[1]


def powers_of(n, x):
    y = x
    for _ in range(int(n)):
        y = y * np.sin(y) + x
    return y


def stateless(build):
    """Returns `build` with its If or While as the op type that promises to have no state: through a GraphDef."""

    def built(*tensors):
        with tf.Graph().as_default() as inner:
            given = [tf.placeholder(t.dtype, t.shape, name=f"in{i}") for i, t in enumerate(tensors)]
            result = build(*given).name
        message = inner.as_graph_def()
        for node in message.node:
            node.op = {"If": "StatelessIf", "While": "StatelessWhile"}.get(node.op, node.op)
        mapped = {f"in{i}": tensor for i, tensor in enumerate(tensors)}
        return tf.import_graph_def(message, mapped, [result])[0]

    return built


def fake(pred, x):
    return tf.cond(pred, lambda: x * 2.0, lambda: lookup("FakeParam")(dtype=x.dtype, shape=(3,)))


def stack(*elements):
    handle = lookup("EmptyTensorList")(np.int32(-1), np.int32(-1), element_dtype=elements[0].dtype)
    for element in elements:
        handle = lookup("TensorListPushBack")(handle, element)
    return handle


def pop(handle, like):
    return lookup("TensorListPopBack")(handle, np.int32(-1), element_dtype=like.dtype)


def pushed_and_popped(x, y):
    rest, last = pop(stack(x * x, x * y), x)
    return [last, pop(rest, x)[1]]


def concatenated(x, y):
    handle = stack(x * x, x * y, y)
    kind = x.dtype
    return lookup("TensorListConcatV2")(handle, [-1], np.zeros(0, np.int64), element_dtype=kind)[0] ** 2.0


def split(x):
    handle = lookup("TensorListSplit")(x * x, np.array([-1], np.int32), np.array([1, 2], np.int64))
    return pop(handle, x)[1] * x[1:]


PROGRAMS = program_table(
    Program("TensorListConcatV2", concatenated, [X, Y], lambda x, y: np.concatenate([x * x, x * y, y]) ** 2, gradient=True),
    Program("TensorListSplit", split, [X], lambda x: x[1:] ** 3, gradient=True),
    Program("If", branches, [True, X], lambda p, x: np.sin(x) * x, gradient=True, label="taken"),
    Program("If", branches, [False, X], lambda p, x: x**3, gradient=True, label="not_taken"),
    Program("StatelessIf", stateless(branches), [False, X], lambda p, x: x**3, gradient=True),
    Program("FakeParam", fake, [True, X], lambda p, x: 2 * x),
    Program("While", powers, [np.int32(3), X / 2], powers_of, gradient=True),
    Program("While", powers, [np.int32(0), X / 2], powers_of, gradient=True, label="no_iteration"),
    Program("StatelessWhile", stateless(powers), [np.int32(2), X / 2], powers_of, gradient=True),
    Program("_Arg", powers, [np.int32(1), X], powers_of),
    Program("EmptyTensorList", lambda x: pop(stack(x), x)[1], [X], lambda x: x, gradient=True),
    Program(
        "TensorListPopBack", lambda x: pop(pop(stack(x), x)[0], x)[1], [X], label="empty",
        raises=(tf.errors.InvalidArgumentError, "Trying to pop from an empty list"),
    ),
    Program("TensorListPushBack", pushed_and_popped, [X, Y], lambda x, y: [x * y, x * x], gradient=True),
    Program("TensorListPopBack", lambda x, n: pop(stack(x, x + 1.0), x)[1] * x, [X, 1], lambda x, n: (x + 1) * x, gradient=True),
    Program("TensorListPushBack", lambda n: pop(stack(n, n * 2), n)[1], [np.int64(4)], lambda n: np.int64(8), label="integers"),
)  # fmt: skip

test_program, test_program_gradient = program_tests(PROGRAMS)
