"""Decoders and the loop that runs them until all examples are finished."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...array import fill, shape, zeros_like
from ...core import dtypes
from ...core.convert import constant, convert_to_tensor
from ...core.dtypes import DType
from ...core.node import Tensor
from ...core.shapes import TensorShape
from ...flow import TensorArray, while_loop
from ...flow.structure import check_same, flatten, pack
from ...math import add, cast, greater_equal, logical_not, logical_or, reduce_all, where
from ...variables.scope import variable_scope
from ..rnn.checks import check_cell
from ..rnn.dynamic import _kept, _parts, swap_batch_and_time
from ..rnn.state import map_sizes, size_dims, sizes_of, zeros_of_size


class Decoder:
    """What decoders are derived from: `initialize`, `step`, and if need be `finalize`."""

    @property
    def batch_size(self) -> Any:
        """The number of examples."""
        raise NotImplementedError

    @property
    def output_size(self) -> Any:
        """The sizes of what a step gives, in its structure."""
        raise NotImplementedError

    @property
    def output_dtype(self) -> Any:
        """The types of what a step gives, in its structure."""
        raise NotImplementedError

    @property
    def tracks_own_finished(self) -> bool:
        """Whether what the decoder says is finished can become unfinished, as beams do that change places."""
        return False

    def finalize(self, outputs: Any, final_state: Any, sequence_lengths: Any) -> Any:
        """Return the final outputs and state."""
        raise NotImplementedError


class BasicDecoderOutput(NamedTuple):
    """What a step of a BasicDecoder gives: the cell's output, and the token sampled from it."""

    rnn_output: Any
    sample_id: Any


class BasicDecoder(Decoder):
    """A cell, fed by a helper.

    Args:
      cell: an RNNCell.
      helper: a Helper.
      initial_state: the state to begin with.
      output_layer: a layer for the cell's outputs, such as a Dense to the vocabulary.
    """

    def __init__(self, cell: Any, helper: Any, initial_state: Any, output_layer: Any = None) -> None:
        check_cell("cell", cell)
        if output_layer is not None and not callable(output_layer):
            raise TypeError(f"output_layer must be a Layer, received: {type(output_layer)}")
        self._cell, self._helper, self._initial, self._layer = cell, helper, initial_state, output_layer

    @property
    def batch_size(self) -> Any:
        """The number of examples."""
        return self._helper.batch_size

    @property
    def output_size(self) -> BasicDecoderOutput:
        """The sizes of outputs and samples."""
        return BasicDecoderOutput(output_size_of(self._cell, self._layer), self._helper.sample_ids_shape)

    @property
    def output_dtype(self) -> BasicDecoderOutput:
        """The types of outputs and samples."""
        kind = flatten(self._initial)[0].dtype.base_dtype
        return BasicDecoderOutput(
            map_sizes(lambda _: kind, output_size_of(self._cell, self._layer)), self._helper.sample_ids_dtype
        )

    def initialize(self, name: str | None = None) -> Any:
        """Return which examples are finished, the first inputs and the first state."""
        return (*self._helper.initialize(), self._initial)

    def step(self, time: Any, inputs: Any, state: Any, name: str | None = None) -> Any:
        """Return the outputs, the next state and inputs, and which examples are finished."""
        outputs, state = self._cell(inputs, state)
        if self._layer is not None:
            outputs = self._layer(outputs)
        samples = self._helper.sample(time=time, outputs=outputs, state=state)
        finished, following, state = self._helper.next_inputs(
            time=time, outputs=outputs, state=state, sample_ids=samples
        )
        return BasicDecoderOutput(outputs, samples), state, following, finished


def output_size_of(cell: Any, layer: Any) -> Any:
    """Return the size of a cell's outputs behind a layer."""
    if layer is None:
        return cell.output_size
    units = getattr(layer, "units", None)
    if units is not None:
        return int(units)
    (size,) = size_dims(cell.output_size)
    return TensorShape(layer.compute_output_shape(TensorShape([None, size]))[1:])


def dynamic_decode(
    decoder: Any, output_time_major: bool = False, impute_finished: bool = False, maximum_iterations: Any = None,
    parallel_iterations: int = 32, swap_memory: bool = False, scope: Any = None,
) -> Any:  # fmt: skip
    """Run a decoder until all examples are finished.

    Args:
      decoder: a Decoder.
      output_time_major: whether time is the first dimension of the outputs.
      impute_finished: whether finished examples keep their state and give zeros.
      maximum_iterations: an int32 scalar that bounds the steps.
      scope: the variable scope, "decoder" when None.
      parallel_iterations, swap_memory: hints that need no action here.

    Returns:
      (outputs, final state, the lengths of the examples' outputs: the state's `lengths` where the decoder keeps count of them).

    Raises:
      TypeError: when `decoder` is no Decoder. ValueError: when `maximum_iterations` is no scalar.
    """
    if not isinstance(decoder, Decoder):
        raise TypeError(f"Expected decoder to be type Decoder, but saw: {type(decoder)}")
    with variable_scope(scope, "decoder"):
        limit = None
        if maximum_iterations is not None:
            limit = convert_to_tensor(maximum_iterations, dtypes.int32, name="maximum_iterations")
            if limit.dims not in ((), None):
                raise ValueError("maximum_iterations must be a scalar")
        loop = _Decoding(decoder, impute_finished, limit)
        arrays, state, lengths = loop.run(parallel_iterations, swap_memory)
        outputs = _packed(decoder.output_size, [array.stack() for array in arrays])
        try:
            outputs, state = decoder.finalize(outputs, state, lengths)
        except NotImplementedError:
            pass
        if not output_time_major:
            outputs = pack(outputs, [swap_batch_and_time(leaf) for leaf in flatten(outputs)])
        return outputs, state, lengths


class _Decoding:
    """The loop of one `dynamic_decode`. State: what every step uses: the decoder, the zeros of finished examples, the limit."""

    def __init__(self, decoder: Any, impute: bool, limit: Tensor | None) -> None:
        self.decoder, self.impute, self.limit = decoder, impute, limit

    def run(self, parallel_iterations: int, swap_memory: bool) -> Any:
        decoder = self.decoder
        finished, inputs, state = decoder.initialize()
        batch = decoder.batch_size
        static = batch if isinstance(batch, int) else None
        sizes, kinds = sizes_of(decoder.output_size), _types_of(decoder.output_dtype)
        self.zeros = [zeros_of_size(size, batch, kind) for size, kind in zip(sizes, kinds, strict=True)]
        arrays = [
            TensorArray(kind, size=0, dynamic_size=True, element_shape=(static, *size_dims(size)))
            for kind, size in zip(kinds, sizes, strict=True)
        ]
        if self.limit is not None:
            finished = logical_or(finished, greater_equal(constant(0), self.limit))
        lengths = zeros_like(finished, dtypes.int32)
        _, arrays, state, _, _, lengths = while_loop(
            lambda time, arrays, state, inputs, finished, lengths: logical_not(reduce_all(finished)), self._step,
            [constant(0), arrays, state, inputs, finished, lengths],
            parallel_iterations=parallel_iterations, swap_memory=swap_memory,
        )  # fmt: skip
        return arrays, state, lengths

    def _step(self, time: Tensor, arrays: Any, state: Any, inputs: Any, finished: Tensor, lengths: Tensor) -> Any:
        outputs, new, following, over = self.decoder.step(time, inputs, state)
        if not self.decoder.tracks_own_finished:
            over = logical_or(over, finished)
        check_same(state, new)
        after = add(time, 1)
        if self.limit is not None:
            over = logical_or(over, greater_equal(after, self.limit))
        counted = getattr(new, "lengths", None) if self.decoder.tracks_own_finished else None
        if counted is not None:
            lengths = cast(counted, dtypes.int32)
        else:
            lengths = where(logical_not(finished), fill(shape(lengths), after), lengths)
        emitted = flatten(outputs)
        if self.impute:
            emitted = [where(finished, zero, value) for zero, value in zip(self.zeros, emitted, strict=True)]
            new = _imputed(finished, state, new)
        arrays = [array.write(time, value) for array, value in zip(arrays, emitted, strict=True)]
        return [after, arrays, new, following, over, lengths]


def _imputed(finished: Tensor, old: Any, new: Any) -> Any:
    leaves = [
        after.flow if isinstance(after, TensorArray) else _kept(finished, before, after)
        for before, after in zip(_parts(old), _parts(new), strict=True)
    ]
    return pack(new, leaves)


def _types_of(structure: Any) -> list[DType]:
    if isinstance(structure, DType):
        return [structure]
    if isinstance(structure, dict):
        return [kind for key in sorted(structure) for kind in _types_of(structure[key])]
    return [kind for part in structure for kind in _types_of(part)]


def _packed(sizes: Any, leaves: list[Any]) -> Any:
    queue = iter(leaves)
    return map_sizes(lambda _: next(queue), sizes)
