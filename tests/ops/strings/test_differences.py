"""Where TensorFlow's strings differ from Python's: patterns of RE2, strict numbers, lengths, base64."""

import numpy as np
import pytest

import millstream as tf


def run(tensor):
    with tf.Session(graph=tensor.graph) as session:
        return session.run(tensor).tolist()


@pytest.mark.parametrize(
    ("item", "pattern", "rewrite", "expected"),
    [
        ("aaa", "a*", "b", b"b"), ("abc", "x*", "-", b"-a-b-c-"), ("baac", "a*", "-", b"-b-c-"),
        ("a1b22", "[0-9]+", r"<\0>", b"a<1>b<22>"), ("ab", "(a)(b)", r"\2\\\1", b"b\\a"), ("a", "a", r"\1", b"a"),
        ("héé", "é", "e", b"hee"), ("é", ".", "x", b"x"), (b"\xff\xfe", ".", "x", b"xx"), ("ab", "(a)|b", r"<\1>", b"<a><>"),
    ],
)  # fmt: skip
def test_patterns_replace_as_re2_does(item, pattern, rewrite, expected) -> None:
    with tf.Graph().as_default():
        assert run(tf.regex_replace([item], pattern, rewrite)) == [expected]
        assert run(tf.regex_replace([item], tf.constant(pattern), rewrite)) == [expected]


def test_only_the_first_match_may_be_replaced() -> None:
    with tf.Graph().as_default():
        assert run(tf.regex_replace(["aXbX"], "X", "-", replace_global=False)) == [b"a-bX"]
        assert run(tf.strings.regex_full_match(["abc", "ab"], "ab.")) == [True, False]


@pytest.mark.parametrize(
    ("text", "dtype", "expected"),
    [
        (" 1.5", tf.float32, 1.5), ("0x10", tf.float32, 16.0), ("-inf", tf.float64, -np.inf), ("1e39", tf.float32, np.inf),
        ("+5", tf.int64, 5), (" -7 ", tf.int32, -7),
    ],
)  # fmt: skip
def test_numbers_in_text(text, dtype, expected) -> None:
    with tf.Graph().as_default():
        assert run(tf.string_to_number([text], dtype)) == [expected]


@pytest.mark.parametrize(
    ("text", "dtype"),
    [("1_0", tf.float32), ("1_0", tf.int32), ("٣", tf.int32), ("", tf.float32), ("3000000000", tf.int32)],
)
def test_what_is_no_number_is_refused(text, dtype) -> None:
    with (
        tf.Graph().as_default(),
        pytest.raises(tf.errors.InvalidArgumentError, match="could not correctly convert string"),
    ):
        run(tf.string_to_number([text], dtype))


@pytest.mark.parametrize(
    ("item", "words"), [("a+", "Invalid character"), ("a b", "Invalid character"), ("aaaaa", "1 modulo 4")]
)
def test_base64_is_strict(item, words) -> None:
    with tf.Graph().as_default(), pytest.raises(tf.errors.InvalidArgumentError, match=words):
        run(tf.decode_base64([item]))


def test_lengths_and_letters() -> None:
    with tf.Graph().as_default():
        assert run(tf.strings.length(["héllo", ""])) == [6, 0]
        assert run(tf.strings.length(["héllo", "a"], unit="UTF8_CHAR")) == [5, 1]
        assert run(tf.strings.substr(["Hello"], 2, -1)) == [b"llo"]
        assert run(tf.strings.substr(["héllo"], 1, 2, unit="UTF8_CHAR")) == ["él".encode()]
        assert run(tf.strings.upper(["abé"])) == ["ABé".encode()]
        assert run(tf.strings.upper(["abé"], encoding="utf-8")) == ["ABÉ".encode()]
        assert run(tf.strings.join(["a", ["b", "c"]], "-")) == [b"a-b", b"a-c"]
