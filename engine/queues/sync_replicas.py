"""`tf.train.SyncReplicasOptimizer`: replicas gather their gradients, and one update is made of the mean of them.

Each replica puts its gradients into accumulators and waits for a token; a thread of the chief takes the means, updates the
variables, and hands out as many tokens as there are replicas, each with the number of the next step.
"""

from __future__ import annotations

from typing import Any

from ...ops.array import fill
from ...ops.core import dtypes
from ...ops.core.convert import convert_to_tensor
from ...ops.core.graph import GraphKeys, get_default_graph
from ...ops.core.indexed_slices import IndexedSlices
from ...ops.core.node import Operation
from ...ops.core.scopes import name_scope
from ...ops.math import cast
from ...ops.queue import ConditionalAccumulator, FIFOQueue
from ...ops.state import assign
from ...ops.state.group import group, no_op
from ...ops.variables import Variable, global_variables, report_uninitialized_variables
from ..program import log
from ..train.monitored.hook import SessionRunHook
from ..train.optimizer import Optimizer
from .queue_runner import QueueRunner


class SyncReplicasOptimizer(Optimizer):
    """Wraps an optimizer so that replicas update together.

    Args:
      opt: the optimizer. replicas_to_aggregate: how many gradients make one update.
      total_num_replicas: how many replicas there are, `replicas_to_aggregate` when None; more are backups.
      variable_averages: an ExponentialMovingAverage of `variables_to_average` to keep after each update.
      use_locking: accepted for the wrapped optimizer's sake. name: a prefix of the nodes' names.

    `make_session_run_hook` starts what it needs; gradients of rows (IndexedSlices) are made dense first.
    """

    def __init__(
        self, opt: Optimizer, replicas_to_aggregate: int, total_num_replicas: int | None = None,
        variable_averages: Any = None, variables_to_average: Any = None, use_locking: bool = False,
        name: str = "sync_replicas",
    ) -> None:  # fmt: skip
        super().__init__(use_locking, name)
        total = replicas_to_aggregate if total_num_replicas is None else total_num_replicas
        log.info("SyncReplicasV2: replicas_to_aggregate=%s; total_num_replicas=%s", replicas_to_aggregate, total)
        self._opt, self._sync_name = opt, name
        self._replicas_to_aggregate, self._total = replicas_to_aggregate, total
        self._tokens_per_step = max(total, replicas_to_aggregate)
        self._averages, self._averaged = variable_averages, variables_to_average
        self._applied = False
        self._chief_queue_runner: QueueRunner | None = None

    def compute_gradients(self, *args: Any, **kwargs: Any) -> Any:
        """Return the wrapped optimizer's (gradient, variable) pairs."""
        return self._opt.compute_gradients(*args, **kwargs)

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Operation:
        """Return an Operation that puts a replica's gradients in and waits for the update.

        Raises:
          ValueError: when there are no gradients, or no `global_step`.
        """
        if not grads_and_vars:
            raise ValueError("Must supply at least one variable")
        if global_step is None:
            raise ValueError("Global step is required to check staleness")
        self._global_step = global_step
        kind = global_step.dtype.base_dtype
        self._local_step = Variable(
            convert_to_tensor(0, kind),
            trainable=False,
            collections=[GraphKeys.LOCAL_VARIABLES],
            name="sync_rep_local_step",
        )
        self.local_step_init_op = assign(self._local_step, global_step)
        self.ready_for_local_init_op = report_uninitialized_variables(global_variables())
        accumulators, puts, pairs = self._gathered(grads_and_vars)
        graph = get_default_graph()
        with graph.device(global_step.device), graph.name_scope(None):
            update = self._opt.apply_gradients(pairs, global_step)
            self._sync_token_queue = FIFOQueue(-1, kind, [[]], shared_name="sync_token_q", name="sync_token_q")
            with graph.control_dependencies(puts):
                token = self._sync_token_queue.dequeue()
            train_op = assign(self._local_step, token)
            unused = FIFOQueue(1, dtypes.int32, [[]], shared_name="dummy_queue", name="dummy_queue")
            counts = [accumulator.num_accumulated() for accumulator in accumulators]
            self._chief_queue_runner = _Updates(unused, self._hand_out(update), counts, self._replicas_to_aggregate)
        resets = [accumulator.set_global_step(cast(global_step, dtypes.int64)) for accumulator in accumulators]
        self.chief_init_op = group(self.local_step_init_op, *resets)
        self._applied = True
        return train_op  # type: ignore[no-any-return]

    def _gathered(self, grads_and_vars: Any) -> tuple[list[Any], list[Any], list[tuple[Any, Any]]]:
        """Return the accumulators, what puts gradients into them, and the pairs of what comes out."""
        accumulators: list[Any] = []
        puts: list[Any] = []
        pairs: list[tuple[Any, Any]] = []
        graph = get_default_graph()
        with name_scope(None, self._sync_name):
            for gradient, variable in grads_and_vars:
                if gradient is None:
                    pairs.append((None, variable))
                    continue
                dense = convert_to_tensor(gradient) if isinstance(gradient, IndexedSlices) else gradient
                with graph.device(variable.device):
                    name = f"{variable.name}/grad_accum"
                    accumulator = ConditionalAccumulator(dense.dtype.base_dtype, variable.get_shape(), shared_name=name)
                    puts.append(accumulator.apply_grad(dense, local_step=cast(self._local_step, dtypes.int64)))
                    pairs.append((accumulator.take_grad(self._replicas_to_aggregate), variable))
                accumulators.append(accumulator)
        return accumulators, puts, pairs

    def _hand_out(self, update: Any) -> Operation:
        """Return what gives every replica a token after an update."""
        graph = get_default_graph()
        with graph.control_dependencies([update]):
            tokens = fill([self._tokens_per_step], self._step_value())
            done = self._sync_token_queue.enqueue_many((tokens,))
        if self._averages is None:
            return done
        with graph.control_dependencies([done]):
            return self._averages.apply(self._averaged)  # type: ignore[no-any-return]

    def _step_value(self) -> Any:
        return self._global_step.read_value() if isinstance(self._global_step, Variable) else self._global_step

    def _after_apply(self, what: str) -> None:
        if not self._applied:
            raise ValueError(f"{what}() should be called after apply_gradients().")

    def get_chief_queue_runner(self) -> QueueRunner:
        """Return the QueueRunner that the chief starts: it updates and hands out tokens."""
        self._after_apply("get_chief_queue_runner")
        assert self._chief_queue_runner is not None
        return self._chief_queue_runner

    def get_init_tokens_op(self, num_tokens: int = -1) -> Operation:
        """Return an Operation that the chief runs once, which lets the first step begin.

        Raises:
          ValueError: when `num_tokens` is less than backups need.
        """
        self._after_apply("get_init_tokens_op")
        needed = self._replicas_to_aggregate - self._total
        if num_tokens == -1:
            num_tokens = self._replicas_to_aggregate
        elif num_tokens < needed:
            raise ValueError(f"Too few tokens to finish the first step: {num_tokens} (given) vs {needed} (needed)")
        if num_tokens <= 0:
            return no_op(name="no_init_tokens")
        tokens = fill([num_tokens], self._step_value())
        return self._sync_token_queue.enqueue_many((tokens,))

    def get_slot(self, *args: Any, **kwargs: Any) -> Any:
        """Return a slot of the wrapped optimizer."""
        return self._opt.get_slot(*args, **kwargs)

    def get_slot_names(self, *args: Any, **kwargs: Any) -> list[str]:
        """Return the names of the wrapped optimizer's slots."""
        return self._opt.get_slot_names(*args, **kwargs)

    def variables(self) -> list[Any]:
        """Return the wrapped optimizer's variables."""
        return self._opt.variables()

    def make_session_run_hook(self, is_chief: bool, num_tokens: int = -1) -> SessionRunHook:
        """Return a hook for monitored sessions that initialises, and on the chief starts the updates."""
        return _SyncHook(self, is_chief, num_tokens)


class _Updates(QueueRunner):
    """Updates when all gradients are there, and looks meanwhile whether training is over."""

    def __init__(self, queue: FIFOQueue, update: Operation, counts: list[Any], required: int) -> None:
        super().__init__(queue, [update])
        self._counts, self._required = counts, required

    def _ready(self, sess: Any) -> bool:
        return all(count >= self._required for count in sess.run(self._counts))


class _SyncHook(SessionRunHook):
    """Does for a session what a replica, or the chief, needs."""

    def __init__(self, optimizer: SyncReplicasOptimizer, is_chief: bool, num_tokens: int) -> None:
        self._optimizer, self._is_chief, self._num_tokens = optimizer, is_chief, num_tokens

    def begin(self) -> None:
        """Make the Operations that are run later."""
        if self._is_chief:
            self._init_op = self._optimizer.chief_init_op
            self._tokens_op: Operation | None = self._optimizer.get_init_tokens_op(self._num_tokens)
        else:
            self._init_op, self._tokens_op = self._optimizer.local_step_init_op, None

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Initialise; on the chief, start the updates."""
        missing = session.run(self._optimizer.ready_for_local_init_op)
        if len(missing):
            names = ", ".join(bytes(name).decode() for name in missing)
            raise RuntimeError(
                f"Init operations did not make model ready for local_init. Variables not initialized: {names}"
            )
        session.run(self._init_op)
        if self._tokens_op is not None:
            session.run(self._tokens_op)
            self._optimizer.get_chief_queue_runner().create_threads(session, coord=coord, daemon=True, start=True)
