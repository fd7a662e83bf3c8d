"""Every keyword argument of every function that programs use does something when it is given another value than its default.

Tables (`support.keyword_cases` and the like) vary keywords of single calls: what such a call builds must differ from what it
builds without them. Programs (`support.keyword_programs` and the like) show by assertions what keywords do that need files,
sessions or a block of code. The rest stands in HINTS, by reason. Where TensorFlow is installed, tests/oracle/test_keywords.py
holds both against it.
"""

from __future__ import annotations

import functools
import pathlib
from typing import Any

import pytest

import millstream as tf
from support import (  # noqa: F401  (enter their calls)
    keyword_cases,
    keyword_contrib,
    keyword_data,
    keyword_layers,
    keyword_methods,
    keyword_monitored,
    keyword_programs,
    keyword_refusals,
    keyword_training,
)
from support.api_cases import CASES
from support.keywords import (
    OMIT,
    PROGRAMS,
    REFUSED,
    VARIED,
    Caller,
    Program,
    base_of,
    home,
    observe,
    optional,
    pairs,
    proved,
)
from support.signatures import GOLDEN, LATER, resolve, wanted

from .test_methods import ELSEWHERE

USED = GOLDEN / "method_usage.tsv"

# Keywords whose value nothing depends on that a program could see, by reason: of any function, or of one.
HINTS = {
    "swap_memory": "where a loop keeps what its gradient needs is the compiler's choice",
    "embedding_lookup.validate_indices": "indices are always held against bounds, as in TensorFlow 1.15",
    "gather.validate_indices": "indices are always held against bounds, as in TensorFlow 1.15",
    "Variable.expected_shape": "deprecated; TensorFlow 1.15 does not look at it",
    "import_graph_def.op_dict": "deprecated; TensorFlow 1.15 does not look at it",
    "import_graph_def.producer_op_list": "attributes that an op does not have are left out with or without it",
    "conv1d.use_cudnn_on_gpu": "one way to convolve on GPUs; there is no attribute for it where the node has two dimensions",
    "moments.shift": "TensorFlow 1.15 does not look at it",
    "Normal.allow_nan_stats": "a normal distribution's statistics are always defined",
    "FileWriter.max_queue": "events do not wait",
    "FileWriter.flush_secs": "events do not wait",
    "Saver.restore_sequentially": "tensors are read one after the other anyhow",
    "Saver.builder": "anything but the default is refused",
    "Saver.write_version": "anything but the default is refused",
    "RunConfig.train_distribute": "anything but the default is refused",
    "RunConfig.eval_distribute": "anything but the default is refused",
    "RunConfig.experimental_distribute": "anything but the default is refused",
    "RunConfig.protocol": "servers of other processes' clusters only",
    "RunConfig.experimental_max_worker_delay_secs": "workers of clusters only",
}
# Methods' keywords that change nothing, by reason.
METHOD_HINTS = {
    "Graph.as_graph_def.from_version": "TensorFlow 2 no longer looks at it; what it does here is held in tests of graphs",
    "FileWriter.add_graph.graph_def": "deprecated for `graph`",
    "Saver.save.save_debug_info": "newer than 1.15",
    "Saver.export_meta_graph.save_debug_info": "newer than 1.15",
    "ProfileOptionBuilder.time_and_memory": "least values of what is shown, held in tests of profiles",
}


def hinted(path: str, keyword: str) -> bool:
    """Tell whether a keyword is a hint."""
    return keyword in HINTS or f"{path.rsplit('.', 1)[-1]}.{keyword}" in HINTS


def tried(path: str, given: dict[str, Any]) -> Any:
    """Return what a call builds, or the class of the error that it ends in."""
    try:
        return observe(tf, path, resolve(path), given)
    except (ValueError, TypeError, LookupError, NotImplementedError, tf.errors.OpError) as error:
        return type(error)


@functools.cache
def groups(path: str) -> list[dict[str, Any]]:
    """Return a name's groups of keywords, with a name for its nodes where it takes one, and what its first call gives."""
    named = [{"name": "named"}] if path in CASES and "name" in optional(path) else []
    return [*VARIED.get(path, []), *named]


def moves(path: str, keyword: str, given: dict[str, Any], first: Any) -> bool:
    """Tell whether a call builds something else without a keyword that it was given."""
    less = {name: value for name, value in given.items() if name != keyword}
    return bool(tried(path, given) != (tried(path, less) if less else first))


def seen(path: str) -> set[str]:
    """Return the optional keywords that change what is built."""
    takes, first, found = set(optional(path)), tried(path, {}), set()
    assert not isinstance(first, type), f"{path} ends in {first}"
    for given in groups(path):
        assert not isinstance(tried(path, given), type), f"{path}({given}) ends in {tried(path, given)}"
        found |= {k for k in takes & given.keys() if k not in found and moves(path, k, given, first)}
    refused = [given for other, given in REFUSED if other == path]
    found |= {k for given in refused for k in takes & given.keys() if k not in found and moves(path, k, given, first)}
    base = takes & base_of(path)(tf).keys() - found
    return found | {k for k in base if tried(path, {k: OMIT}) != first}


def wanted_of(path: str) -> set[str]:
    """Return the keywords of a name that tables vary, or that its first call gives."""
    given = {name for group in groups(path) for name in group}
    with tf.Graph().as_default():
        given |= set(base_of(path)(tf))
    return given & set(optional(path))


TABLED = sorted({home(path) for path in (*CASES, *VARIED)} & (CASES.keys() | VARIED.keys()))


@pytest.mark.parametrize("path", TABLED)
def test_keywords_change_what_is_built(path: str) -> None:
    assert wanted_of(path) - seen(path) == set()


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_program(program: Program, tmp_path: pathlib.Path) -> None:
    call = Caller(tf)
    with tf.Graph().as_default():
        program(tf, call, tmp_path)
    claimed = {(path, keyword) for path, words in PROGRAMS[program].items() for keyword in words.split()}
    assert claimed - call.given == set()


def test_every_keyword_is_varied() -> None:
    known = {(home(path), keyword) for path, keyword in proved()}
    known |= {(path, keyword) for path in TABLED for keyword in wanted_of(path)}
    missing = {(p, k) for p, k in pairs() if (home(p), k) not in known and not hinted(p, k)}
    assert sorted(missing) == []


def test_hints_are_needed() -> None:
    """No hint is varied anywhere, and each is a keyword of something that programs use."""
    known = {(home(path), keyword) for path, keyword in proved()}
    known |= {(path, keyword) for path in TABLED for keyword in wanted_of(path)}
    assert sorted((p, k) for p, k in known if hinted(p, k)) == []
    short = {f"{p.rsplit('.', 1)[-1]}.{k}" for p, k in pairs()} | {k for _, k in pairs()}
    assert sorted(HINTS.keys() - short) == []


def test_methods_keywords_are_varied() -> None:
    """The same for methods that programs call, but for names of nodes."""
    known, missing = proved(), set()
    for line in USED.read_text(encoding="utf-8").splitlines()[1:]:
        name, method = line.split("\t")
        path = f"{ELSEWHERE.get(name, name)}.{method}"
        short = ".".join(path.rsplit(".", 2)[-2:])
        for keyword, *rest in wanted(path) or []:
            if rest and keyword not in LATER | {"name"} and not {short, f"{short}.{keyword}"} & METHOD_HINTS.keys():
                missing |= {(path, keyword)} - known
    assert sorted(missing) == []
