"""`tf.test.TestCase`: absl's test case with sessions, and assertions about arrays, protos and graphs.

Every test starts with an empty default graph and the same seeds. `test_session` gives one session a test, `session` a new one
each time; the default graph of both is the one that they run.
"""

from __future__ import annotations

import contextlib
import random
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from absl.testing import absltest
from google.protobuf import text_format

from ...devices.spec import DeviceSpec
from ...ops.core import errors, protos
from ...ops.core.graph import Graph, get_default_graph, leave_default_graphs, reset_default_graph
from ...ops.core.node import Tensor
from ..session import Session
from . import comparing

_SEED = 87654321


class CheckedThread:
    """A thread that ends in the thread that joins it: `join` fails the test where the target raised."""

    def __init__(self, testcase: TestCase, target: Callable[..., Any], args: Any = None, kwargs: Any = None) -> None:
        self._testcase = testcase
        self._target, self._args, self._kwargs = target, args or (), kwargs or {}
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            self._target(*self._args, **self._kwargs)
        except BaseException as error:
            self._error = error

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the thread, and fail where it failed."""
        self._thread.join()
        if self._error is not None:
            self._testcase.fail(f"Error in checkedThread: {self._error}")

    def is_alive(self) -> bool:
        """Tell whether the thread runs."""
        return self._thread.is_alive()


class TestCase(absltest.TestCase):
    """A test case for graphs.

    State: `_cached`, the test's session for `test_session`; `_tempdir`, made when it is first asked for.
    """

    def __init__(self, methodName: str = "runTest") -> None:
        super().__init__(methodName)
        self._cached: Session | None = None
        self._cached_graph: Graph | None = None
        self._tempdir: str | None = None

    def setUp(self) -> None:
        """Empty the default graph, and seed everything."""
        super().setUp()
        self._close_cached()
        random.seed(_SEED)
        np.random.seed(_SEED)
        leave_default_graphs()
        reset_default_graph()
        get_default_graph().seed = _SEED

    def tearDown(self) -> None:
        """Close the test's session."""
        self._close_cached()
        super().tearDown()

    def _close_cached(self) -> None:
        if self._cached is not None:
            self._cached.close()
            self._cached = None

    def get_temp_dir(self) -> str:
        """Return a folder for this test."""
        if self._tempdir is None:
            self._tempdir = tempfile.mkdtemp(prefix=f"{type(self).__name__}_")
        return self._tempdir

    # -- sessions --------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def session(
        self, graph: Graph | None = None, config: Any = None, use_gpu: bool = False, force_gpu: bool = False
    ) -> Iterator[Session]:
        """Open a new session as the default one, on CPU:0 unless `use_gpu`, without soft placement when `force_gpu`."""
        with Session(graph=graph, config=_config(config, force_gpu)) as opened, _placed(opened, use_gpu, force_gpu):
            yield opened

    @contextlib.contextmanager
    def cached_session(
        self, graph: Graph | None = None, config: Any = None, use_gpu: bool = False, force_gpu: bool = False
    ) -> Iterator[Session]:
        """Enter the test's own session, made on the first call and kept, with its variables, until the test ends."""
        if self._cached is None:
            self._cached = Session(graph=graph, config=_config(config, force_gpu))
            self._cached_graph = graph
        elif self._cached_graph is not graph:
            raise ValueError(
                "The graph used to get the cached session is different than the one that was used to create the session."
            )
        opened = self._cached
        with opened.graph.as_default(), opened.as_default(), _placed(opened, use_gpu, force_gpu):
            yield opened

    def test_session(
        self, graph: Graph | None = None, config: Any = None, use_gpu: bool = False, force_gpu: bool = False
    ) -> contextlib.AbstractContextManager[Session]:
        """Return the test's own session, or a new one when a graph or a configuration is given, as a context."""
        if self.id().endswith(".test_session"):
            self.skipTest("Not a test.")
        chosen = self.cached_session if graph is None and config is None else self.session
        return chosen(graph, config, use_gpu, force_gpu)

    def evaluate(self, tensors: Any) -> Any:
        """Return the values of tensors in the default session, or in the test's own."""
        with contextlib.ExitStack() as stack:
            try:
                session = get_default_graph().session_for("eval", None)
            except ValueError:
                session = stack.enter_context(self.test_session())
            return session.run(tensors)

    def checkedThread(self, target: Callable[..., Any], args: Any = None, kwargs: Any = None) -> CheckedThread:
        """Return a thread whose `join` fails the test where `target` raised."""
        return CheckedThread(self, target, args, kwargs)

    # -- arrays ----------------------------------------------------------------------------------------------------

    def _array(self, value: Any) -> Any:
        return np.asarray(self.evaluate(value) if isinstance(value, Tensor) else value)

    def _check(self, problem: str | None, msg: str | None) -> None:
        if problem is not None:
            self.fail(f"{problem} : {msg}" if msg else problem)

    def assertAllClose(self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: str | None = None) -> None:
        """Fail unless arrays, or structures of them, are of one shape and `|a - b| <= atol + rtol * |b|`."""
        if isinstance(a, Mapping) or isinstance(b, Mapping):
            self.assertCountEqual(a.keys(), b.keys(), msg)
            for key in a:
                self.assertAllClose(a[key], b[key], rtol, atol, f"{msg or ''} in {key!r}")
        elif comparing.is_nested(a) or comparing.is_nested(b):
            self.assertEqual(len(a), len(b), msg)
            for i, (one, other) in enumerate(zip(a, b, strict=True)):
                self.assertAllClose(one, other, rtol, atol, f"{msg or ''} at {i}")
        else:
            self._check(comparing.not_close(self._array(a), self._array(b), rtol, atol), msg)

    def assertAllCloseAccordingToType(
        self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, float_rtol: float = 1e-6, float_atol: float = 1e-6,
        half_rtol: float = 1e-3, half_atol: float = 1e-3, bfloat16_rtol: float = 1e-2, bfloat16_atol: float = 1e-2,
        msg: str | None = None,
    ) -> None:  # fmt: skip
        """`assertAllClose` with the tolerance of the less precise of the two types."""
        names = {self._array(a).dtype.name, self._array(b).dtype.name}
        for name, relative, absolute in (
            ("float32", float_rtol, float_atol), ("float16", half_rtol, half_atol),
            ("bfloat16", bfloat16_rtol, bfloat16_atol),
        ):  # fmt: skip
            if name in names or (name == "float32" and "complex64" in names):
                rtol, atol = max(rtol, relative), max(atol, absolute)
        self.assertAllClose(a, b, rtol, atol, msg)

    def assertNotAllClose(self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: str | None = None) -> None:
        """Fail when two arrays are close."""
        if comparing.not_close(self._array(a), self._array(b), rtol, atol) is None:
            self.fail(msg or f"The two values are close at all elements: {a!r}, {b!r}")

    def assertAllEqual(self, a: Any, b: Any, msg: str | None = None) -> None:
        """Fail unless two arrays are of one shape and equal; NaN equals NaN."""
        self._check(comparing.not_equal(self._array(a), self._array(b)), msg)

    def assertNotAllEqual(self, a: Any, b: Any, msg: str | None = None) -> None:
        """Fail when two arrays are equal."""
        if comparing.not_equal(self._array(a), self._array(b)) is None:
            self.fail(msg or f"The two values are equal at all elements: {a!r}")

    def assertNear(self, f1: float, f2: float, err: float, msg: str | None = None) -> None:
        """Fail unless `|f1 - f2| <= err`."""
        if not (f1 == f2 or abs(f1 - f2) <= err):
            self.fail(f"{f1:f} != {f2:f} +/- {err:f}{f' ({msg})' if msg is not None else ''}")

    def assertArrayNear(self, farray1: Any, farray2: Any, err: float, msg: str | None = None) -> None:
        """Fail unless two sequences of floats are near, one by one."""
        self.assertEqual(len(farray1), len(farray2), msg=msg)
        for one, other in zip(farray1, farray2, strict=True):
            self.assertNear(float(one), float(other), err, msg=msg)

    def assertNDArrayNear(self, ndarray1: Any, ndarray2: Any, err: float, msg: str | None = None) -> None:
        """Fail unless the norm of the difference of two arrays is below `err`."""
        difference = float(np.linalg.norm(np.asarray(ndarray1) - np.asarray(ndarray2)))
        if not difference < err:
            self.fail(msg or f"the norm of the difference, {difference:g}, is not below {err:g}")

    def assertAllGreater(self, a: Any, comparison_target: Any) -> None:
        """Fail unless all elements are greater than a value."""
        self.assertGreater(np.min(self._array(a)), comparison_target)

    def assertAllLess(self, a: Any, comparison_target: Any) -> None:
        """Fail unless all elements are less than a value."""
        self.assertLess(np.max(self._array(a)), comparison_target)

    def assertAllGreaterEqual(self, a: Any, comparison_target: Any) -> None:
        """Fail unless all elements are at least a value."""
        self.assertGreaterEqual(np.min(self._array(a)), comparison_target)

    def assertAllLessEqual(self, a: Any, comparison_target: Any) -> None:
        """Fail unless all elements are at most a value."""
        self.assertLessEqual(np.max(self._array(a)), comparison_target)

    def assertAllInRange(
        self,
        target: Any,
        lower_bound: Any,
        upper_bound: Any,
        open_lower_bound: bool = False,
        open_upper_bound: bool = False,
    ) -> None:
        """Fail unless all elements are between two bounds."""
        array = self._array(target)
        low = array <= lower_bound if open_lower_bound else array < lower_bound
        high = array >= upper_bound if open_upper_bound else array > upper_bound
        outside = low | high | np.isnan(array)
        if outside.any():
            self.fail(f"{int(outside.sum())} elements are out of range, the first is {array[outside].flat[0]!r}")

    def assertAllInSet(self, target: Any, expected_set: Any) -> None:
        """Fail unless all elements are members of a set."""
        unexpected = set(self._array(target).ravel().tolist()) - set(expected_set)
        if unexpected:
            self.fail(f"{len(unexpected)} unique element(s) are not in the set {expected_set}: {sorted(unexpected)}")

    def assertDTypeEqual(self, target: Any, expected_dtype: Any) -> None:
        """Fail unless a value is of an element type."""
        self.assertEqual(self._array(target).dtype, np.dtype(getattr(expected_dtype, "as_numpy_dtype", expected_dtype)))

    def assertShapeEqual(self, np_array: Any, tf_tensor: Any, msg: str | None = None) -> None:
        """Fail unless an array has the static shape of a tensor."""
        self.assertIsInstance(np_array, np.ndarray | np.generic)
        self.assertIsInstance(tf_tensor, Tensor)
        self.assertAllEqual(np_array.shape, tf_tensor.shape.as_list(), msg=msg)

    # -- errors, devices, protos -----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def assertRaisesWithPredicateMatch(  # type: ignore[override]
        self, exception_type: Any, expected_err_re_or_predicate: Any
    ) -> Iterator[None]:
        """Fail unless the block raises, and a predicate holds of the error or a pattern is found in its message."""
        try:
            yield
        except exception_type as error:
            if callable(expected_err_re_or_predicate):
                self.assertTrue(expected_err_re_or_predicate(error), f"Unexpected exception: {error}")
            else:
                text = f"{error.message}\n{error}" if isinstance(error, errors.OpError) else str(error)
                self.assertRegex(text, expected_err_re_or_predicate)
            return
        self.fail(f"{exception_type.__name__} not raised")

    def assertRaisesOpError(self, expected_err_re_or_predicate: Any) -> Any:
        """Fail unless the block raises an OpError that matches."""
        return self.assertRaisesWithPredicateMatch(errors.OpError, expected_err_re_or_predicate)

    def assertDeviceEqual(self, device1: Any, device2: Any, msg: str | None = None) -> None:
        """Fail unless two names stand for one device."""
        self.assertEqual(_canonical(device1), _canonical(device2), msg)

    def assertProtoEquals(self, expected_message_maybe_ascii: Any, message: Any, msg: str | None = None) -> None:
        """Fail unless a message equals another, or the text of one."""
        expected = expected_message_maybe_ascii
        if not isinstance(expected, type(message)):
            expected = text_format.Parse(expected, type(message)(), descriptor_pool=message.DESCRIPTOR.file.pool)
        one, other = text_format.MessageToString(expected), text_format.MessageToString(message)
        self.assertMultiLineEqual(one, other, msg)  # type: ignore[no-untyped-call]


def _config(config: Any, force_gpu: bool) -> Any:
    """Return the configuration of a test's session: soft placement unless a GPU is forced."""
    if config is not None:
        return config
    return protos.ConfigProto(allow_soft_placement=not force_gpu)


@contextlib.contextmanager
def _placed(session: Session, use_gpu: bool, force_gpu: bool) -> Iterator[None]:
    name = "/device:GPU:0" if force_gpu else None if use_gpu else "/device:CPU:0"
    with contextlib.nullcontext() if name is None else session.graph.device(name):
        yield


def _canonical(device: Any) -> str:
    return DeviceSpec.from_string(device.decode() if isinstance(device, bytes) else device or "").to_string()
