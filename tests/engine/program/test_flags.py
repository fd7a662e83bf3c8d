"""tf.flags and tf.app.run, in programs of their own: a process has one set of flags."""

import subprocess
import sys

import pytest

DEFINE = """
import millstream as tf
flags = tf.app.flags
flags.DEFINE_string("name", "anon", "a name")
flags.DEFINE_integer("steps", 5, "how many")
flags.DEFINE_boolean("quiet", False, "say nothing")
flags.DEFINE_float(flag_name="rate", default_value=0.5, docstring="of learning")
tf.flags.DEFINE_bool("fast", True, "")
tf.flags.DEFINE_list("sizes", "1,2", "")
tf.flags.DEFINE_enum("kind", "a", ["a", "b"], "")
FLAGS = tf.flags.FLAGS
"""
READ = "print(FLAGS.name, FLAGS.steps, FLAGS.quiet, FLAGS.rate, FLAGS.fast, FLAGS.sizes, FLAGS.kind)"
RUN = f"""
def main(argv):
    {READ}
    print(argv[1:])
if __name__ == "__main__":
    tf.app.run()
"""


def run(program, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", DEFINE + program, *arguments], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout.splitlines(), done.stderr


@pytest.mark.parametrize(
    "program, arguments, lines",
    [
        (READ, (), ["anon 5 False 0.5 True ['1', '2'] a"]),
        (READ, ("--name=x", "--steps", "7", "--quiet", "--nofast", "--kind=b"), ["x 7 True 0.5 False ['1', '2'] b"]),
        (RUN, ("--rate=2", "--sizes=3", "rest"), ["anon 5 False 2.0 True ['3'] a", "['rest']"]),
        (RUN, ("--unknown=2", "rest"), ["anon 5 False 0.5 True ['1', '2'] a", "['--unknown=2', 'rest']"]),
        ("FLAGS.steps = 9\nprint(FLAGS.steps, 'steps' in FLAGS, FLAGS['steps'].default)", (), ["9 True 5"]),
        ("print(sorted(FLAGS.flag_values_dict())[:2], FLAGS.__flags['name'].value)", (), None),
        ("FLAGS._parse_flags()\nprint(FLAGS.steps)", ("--steps=4",), ["4"]),
        ("tf.app.run(main=lambda argv: print('mine'))", (), ["mine"]),
    ],
)
def test_programs(program, arguments, lines):
    status, found, errors = run(program, *arguments)
    assert status == 0, errors
    assert lines is None or found == lines


def test_the_exit_status_is_mains():
    assert run("tf.app.run(main=lambda argv: 3)")[0] == 3


def test_a_wrong_value_is_refused():
    status, _, errors = run(READ, "--steps=many")
    assert status != 0 and "flag --steps=many: invalid literal for int()" in errors
