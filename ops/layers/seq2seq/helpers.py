"""Helpers: what a decoder is fed in each step, and how an output becomes a token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...array import fill, gather_nd, identity, scatter_nd, shape, tile, zeros_like
from ...core import dtypes
from ...core.convert import convert_to_tensor
from ...core.dtypes import DType
from ...core.node import Tensor
from ...core.scopes import name_scope
from ...core.shapes import TensorShape
from ...flow import TensorArray, cond
from ...flow.structure import flatten, pack
from ...math import add, argmax, cast, equal, greater_equal, less, logical_not, reduce_all, where
from ...random import multinomial, random_uniform
from ..embedding import embedding_lookup
from ..rnn.dynamic import swap_batch_and_time


class Helper:
    """What helpers are derived from: `initialize`, `sample` and `next_inputs`."""

    @property
    def batch_size(self) -> Any:
        """The number of examples."""
        raise NotImplementedError

    @property
    def sample_ids_shape(self) -> TensorShape:
        """The shape of one example's sample; a scalar unless a helper says otherwise."""
        return TensorShape([])

    @property
    def sample_ids_dtype(self) -> DType:
        """The type of samples."""
        return dtypes.int32


class CustomHelper(Helper):
    """A helper made of functions.

    Args:
      initialize_fn: a function of nothing to (finished, first inputs).
      sample_fn: of (time, outputs, state) to sample ids.
      next_inputs_fn: of (time, outputs, state, sample_ids) to (finished, next inputs, next state).
      sample_ids_shape, sample_ids_dtype: of one example's sample.
    """

    def __init__(
        self, initialize_fn: Callable[..., Any], sample_fn: Callable[..., Any], next_inputs_fn: Callable[..., Any],
        sample_ids_shape: Any = None, sample_ids_dtype: Any = None,
    ) -> None:  # fmt: skip
        self._initialize, self._sample, self._next = initialize_fn, sample_fn, next_inputs_fn
        self._shape = TensorShape([] if sample_ids_shape is None else sample_ids_shape)
        self._dtype = sample_ids_dtype or dtypes.int32
        self._batch_size: Any = None

    @property
    def batch_size(self) -> Any:
        """The number of examples, known when it was initialised."""
        if self._batch_size is None:
            raise ValueError("batch_size accessed before initialize was called")
        return self._batch_size

    @property
    def sample_ids_shape(self) -> TensorShape:
        """The shape of one example's sample."""
        return self._shape

    @property
    def sample_ids_dtype(self) -> DType:
        """The type of samples."""
        return self._dtype

    def initialize(self, name: str | None = None) -> Any:
        """Return what `initialize_fn` gives."""
        with name_scope(name, "CustomHelperInitialize"):
            finished, inputs = self._initialize()
            if self._batch_size is None:
                self._batch_size = finished.dims[0] if finished.dims and finished.dims[0] else shape(finished)[0]
            return finished, inputs

    def sample(self, time: Any, outputs: Any, state: Any, name: str | None = None) -> Any:
        """Return what `sample_fn` gives."""
        with name_scope(name, "CustomHelperSample", [time]):
            return self._sample(time=time, outputs=outputs, state=state)

    def next_inputs(self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None) -> Any:
        """Return what `next_inputs_fn` gives."""
        with name_scope(name, "CustomHelperNextInputs", [time]):
            return self._next(time=time, outputs=outputs, state=state, sample_ids=sample_ids)


class TrainingHelper(Helper):
    """Feeds given inputs, whatever the decoder gives.

    Args:
      inputs: [batch, time, ...], or time first where `time_major`; also nested.
      sequence_length: how many steps of each example count.
    """

    def __init__(self, inputs: Any, sequence_length: Any, time_major: bool = False, name: str | None = None) -> None:
        with name_scope(name, "TrainingHelper", [sequence_length]):
            tensors = [convert_to_tensor(leaf) for leaf in flatten(inputs)]
            self._inputs = inputs if not isinstance(inputs, Tensor) else tensors[0]
            flat = tensors if time_major else [swap_batch_and_time(t) for t in tensors]
            self._structure = inputs
            self._arrays = [_unstacked(t) for t in flat]
            self._lengths = convert_to_tensor(sequence_length, name="sequence_length")
            if self._lengths.dims is not None and len(self._lengths.dims) != 1:
                raise ValueError(f"Expected sequence_length to be a vector, but received shape: {self._lengths.shape}")
            self._zero_inputs = pack(inputs, [zeros_like(t[0, :]) for t in flat])
            dims = self._lengths.dims
            self._start_batch = dims[0] if dims and dims[0] is not None else None
            self._batch_size = shape(self._lengths)[0] if self._start_batch is None else self._start_batch

    @property
    def inputs(self) -> Any:
        """The inputs that were given."""
        return self._inputs

    @property
    def sequence_length(self) -> Tensor:
        """How many steps of each example count."""
        return self._lengths

    @property
    def batch_size(self) -> Any:
        """The number of examples."""
        return self._batch_size

    def _read(self, finished: Tensor, time: Any) -> Any:
        """Return the inputs of a step; zeros when all examples are finished."""
        found = cond(
            reduce_all(finished),
            lambda: flatten(self._zero_inputs),
            lambda: [a.read(time) for a in self._arrays],
            strict=True,
        )
        return pack(self._structure, list(found))

    def initialize(self, name: str | None = None) -> Any:
        """Return which examples are empty, and the first inputs."""
        with name_scope(name, "TrainingHelperInitialize"):
            finished = equal(0, self._lengths)
            return finished, self._read(finished, 0)

    def sample(self, time: Any, outputs: Any, state: Any = None, name: str | None = None, **_: Any) -> Any:
        """Return the place of each output's greatest element."""
        with name_scope(name, "TrainingHelperSample", [time, outputs]):
            return cast(argmax(outputs, axis=-1), dtypes.int32)

    def next_inputs(
        self, time: Any, outputs: Any, state: Any, sample_ids: Any = None, name: str | None = None, **_: Any
    ) -> Any:
        """Return which examples are finished, the next inputs, and the state as it is."""
        with name_scope(name, "TrainingHelperNextInputs", [time, outputs]):
            after = add(time, 1)
            finished = greater_equal(after, self._lengths)
            return finished, self._read(finished, after), state


def _unstacked(tensor: Tensor) -> TensorArray:
    dims = tensor.dims
    made = TensorArray(
        tensor.dtype, size=shape(tensor)[0] if not dims or dims[0] is None else dims[0],
        element_shape=dims[1:] if dims else None,
    )  # fmt: skip
    return made.unstack(tensor)


class ScheduledEmbeddingTrainingHelper(TrainingHelper):
    """Feeds given inputs, but with a probability the embedding of what the decoder sampled (Bengio et al., 2015).

    Args:
      inputs, sequence_length, time_major: as in `TrainingHelper`.
      embedding: a tensor of embeddings, or a function from ids to them.
      sampling_probability: a scalar in [0, 1].
      seed: for samples. scheduling_seed: for the choice.
    """

    def __init__(
        self, inputs: Any, sequence_length: Any, embedding: Any, sampling_probability: Any, time_major: bool = False,
        seed: int | None = None, scheduling_seed: int | None = None, name: str | None = None,
    ) -> None:  # fmt: skip
        with name_scope(name, "ScheduledEmbeddingSamplingWrapper", [sampling_probability]):
            self._embed = embedding_function(embedding)
            self._probability = convert_to_tensor(sampling_probability, dtypes.float32, name="sampling_probability")
            if self._probability.dims not in ((), None, (1,)):
                raise ValueError(
                    f"sampling_probability must be either a scalar or a vector. saw shape: {self._probability.shape}"
                )
            self._seed, self._scheduling_seed = seed, scheduling_seed
            super().__init__(inputs, sequence_length, time_major, name)

    def sample(self, time: Any, outputs: Any, state: Any = None, name: str | None = None, **_: Any) -> Any:
        """Return samples for the examples that were chosen, -1 for the others."""
        with name_scope(name, "ScheduledEmbeddingTrainingHelperSample", [time, outputs]):
            drawn = random_uniform([self._batch_size], seed=self._scheduling_seed)
            sampled = _sampled(outputs, self._seed)
            return where(less(drawn, self._probability), sampled, fill([self._batch_size], -1))

    def next_inputs(
        self, time: Any, outputs: Any, state: Any, sample_ids: Any = None, name: str | None = None, **_: Any
    ) -> Any:
        """Return which examples are finished, the next inputs or embeddings of samples, and the state as it is."""
        with name_scope(name, "ScheduledEmbeddingTrainingHelperNextInputs", [time, outputs]):
            finished, given, state = super().next_inputs(time, outputs, state, sample_ids)
            rows = where(greater_equal(sample_ids, 0))
            others = where(logical_not(greater_equal(sample_ids, 0)))
            embedded = self._embed(gather_nd(sample_ids, rows))
            size = shape(given)
            size = cast(size, rows.dtype)
            mixed = scatter_nd(rows, embedded, size) + scatter_nd(others, gather_nd(given, others), size)
            mixed.set_shape(given.dims)
            return finished, cond(reduce_all(finished), lambda: given, lambda: mixed), state


class GreedyEmbeddingHelper(Helper):
    """Feeds the embedding of the token that scored best.

    Args:
      embedding: a tensor of embeddings, or a function from ids to them.
      start_tokens: an int32 vector [batch]. end_token: an int32 scalar.
    """

    def __init__(self, embedding: Any, start_tokens: Any, end_token: Any) -> None:
        self._embed = embedding_function(embedding)
        self._start_tokens = convert_to_tensor(start_tokens, dtypes.int32, name="start_tokens")
        self._end_token = convert_to_tensor(end_token, dtypes.int32, name="end_token")
        dims = self._start_tokens.dims
        if dims is not None and len(dims) != 1:
            raise ValueError("start_tokens must be a vector")
        if self._end_token.dims not in ((), None):
            raise ValueError("end_token must be a scalar")
        self._batch_size = dims[0] if dims and dims[0] is not None else shape(self._start_tokens)[0]
        self._start_inputs = self._embed(self._start_tokens)

    @property
    def batch_size(self) -> Any:
        """The number of examples."""
        return self._batch_size

    def initialize(self, name: str | None = None) -> Any:
        """Return that no example is finished, and the embeddings of the start tokens."""
        return tile([False], [self._batch_size]), self._start_inputs

    def sample(self, time: Any, outputs: Any, state: Any = None, name: str | None = None) -> Any:
        """Return the token of the greatest score."""
        if not isinstance(outputs, Tensor):
            raise TypeError(f"Expected outputs to be a single Tensor, got: {type(outputs)}")
        return argmax(outputs, axis=-1, output_type=dtypes.int32)

    def next_inputs(self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None) -> Any:
        """Return which examples gave the end token, the embeddings of the samples, and the state as it is."""
        finished = equal(sample_ids, self._end_token)
        found = cond(reduce_all(finished), lambda: identity(self._start_inputs), lambda: self._embed(sample_ids))
        return finished, found, state


class SampleEmbeddingHelper(GreedyEmbeddingHelper):
    """Feeds the embedding of a token drawn by its score.

    Args:
      embedding, start_tokens, end_token: as in `GreedyEmbeddingHelper`.
      softmax_temperature: what scores are divided by; small values sample what is likely.
      seed: for the samples.
    """

    def __init__(
        self,
        embedding: Any,
        start_tokens: Any,
        end_token: Any,
        softmax_temperature: Any = None,
        seed: int | None = None,
    ) -> None:
        super().__init__(embedding, start_tokens, end_token)
        self._temperature, self._seed = softmax_temperature, seed

    def sample(self, time: Any, outputs: Any, state: Any = None, name: str | None = None) -> Any:
        """Return tokens drawn by their scores."""
        if not isinstance(outputs, Tensor):
            raise TypeError(f"Expected outputs to be a single Tensor, got: {type(outputs)}")
        return _sampled(outputs if self._temperature is None else outputs / self._temperature, self._seed)


class InferenceHelper(Helper):
    """Feeds back what a function samples.

    Args:
      sample_fn: from outputs to samples. sample_shape, sample_dtype: of one example's sample.
      start_inputs: the first inputs. end_fn: from samples to which are the end.
      next_inputs_fn: from samples to inputs; the samples themselves when None.
    """

    def __init__(
        self, sample_fn: Callable[..., Any], sample_shape: Any, sample_dtype: Any, start_inputs: Any,
        end_fn: Callable[..., Any], next_inputs_fn: Callable[..., Any] | None = None,
    ) -> None:  # fmt: skip
        self._sample, self._end, self._next = sample_fn, end_fn, next_inputs_fn
        self._shape, self._dtype = TensorShape(sample_shape), sample_dtype
        self._start_inputs = convert_to_tensor(start_inputs, name="start_inputs")
        dims = self._start_inputs.dims
        self._batch_size = dims[0] if dims and dims[0] is not None else shape(self._start_inputs)[0]

    @property
    def batch_size(self) -> Any:
        """The number of examples."""
        return self._batch_size

    @property
    def sample_ids_shape(self) -> TensorShape:
        """The shape of one example's sample."""
        return self._shape

    @property
    def sample_ids_dtype(self) -> DType:
        """The type of samples."""
        return self._dtype  # type: ignore[no-any-return]

    def initialize(self, name: str | None = None) -> Any:
        """Return that no example is finished, and the first inputs."""
        return tile([False], [self._batch_size]), self._start_inputs

    def sample(self, time: Any, outputs: Any, state: Any = None, name: str | None = None) -> Any:
        """Return what `sample_fn` gives."""
        return self._sample(outputs)

    def next_inputs(self, time: Any, outputs: Any, state: Any, sample_ids: Any, name: str | None = None) -> Any:
        """Return which samples are the end, the next inputs, and the state as it is."""
        found = sample_ids if self._next is None else self._next(sample_ids)
        return self._end(sample_ids), found, state


def embedding_function(embedding: Any) -> Callable[[Any], Any]:
    """Return the function from ids to embeddings that `embedding`, a function or a table, stands for."""
    if callable(embedding):
        return embedding  # type: ignore[no-any-return]
    table = convert_to_tensor(embedding) if isinstance(embedding, np.ndarray) else embedding
    return lambda ids: embedding_lookup(table, ids)


def _sampled(logits: Tensor, seed: int | None) -> Tensor:
    drawn: Tensor = cast(multinomial(logits, 1, seed=seed)[:, 0], dtypes.int32)
    return drawn
