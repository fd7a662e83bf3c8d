"""The list of whole programs, and the loop that most of them train with.

A program is a function of the module and of `at`: `with at(i):` opens the device of its i-th part, which is nowhere in
particular in one run and one of two GPUs in the other. It asserts what it learned and returns the numbers on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Program = Callable[[Any, Callable[[int], Any]], Any]
PROGRAMS: list[Program] = []


def program(function: Program) -> Program:
    """Enter a program in the list."""
    PROGRAMS.append(function)
    return function


def train(tf: Any, step: Any, loss: Any, feeds: Iterable[dict[Any, Any]], fetch: Any = ()) -> tuple[list[Any], Any]:
    """Run a step for each feed; return the losses, and what `fetch` is with the last feed."""
    losses, feed = [], {}
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for feed in feeds:
            losses.append(sess.run([loss, step], feed_dict=feed)[0])
        return losses, sess.run(fetch, feed_dict=feed)
