"""What an Estimator exports: outputs by kind of signature, and the tensors that a served model is fed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ...ops.array import placeholder
from ...ops.core import dtypes
from ...ops.core.node import Tensor
from ...ops.data import parse_example
from ..saved_model.signatures import classification_signature_def, predict_signature_def, regression_signature_def

DEFAULT_KEY = "serving_default"


class ExportOutput:
    """Base class of what one signature gives."""

    def as_signature_def(self, receiver_tensors: Any) -> Any:
        """Return the SignatureDef for these inputs."""
        raise NotImplementedError(type(self).__name__)


class PredictOutput(ExportOutput):
    """Tensors by name, for any use."""

    def __init__(self, outputs: Any) -> None:
        self.outputs = outputs if isinstance(outputs, dict) else {"output": outputs}

    def as_signature_def(self, receiver_tensors: Any) -> Any:
        """Return the SignatureDef for these inputs."""
        return predict_signature_def(receiver_tensors, self.outputs)


class ClassificationOutput(ExportOutput):
    """Scores of classes, or their names, or both."""

    def __init__(self, scores: Tensor | None = None, classes: Tensor | None = None) -> None:
        if scores is None and classes is None:
            raise ValueError("At least one of scores and classes must be set.")
        self.scores, self.classes = scores, classes

    def as_signature_def(self, receiver_tensors: Any) -> Any:
        """Return the SignatureDef; the input has to be one tensor of strings."""
        return classification_signature_def(_only_string(receiver_tensors), self.classes, self.scores)


class RegressionOutput(ExportOutput):
    """A number for each example."""

    def __init__(self, value: Tensor) -> None:
        self.value = value

    def as_signature_def(self, receiver_tensors: Any) -> Any:
        """Return the SignatureDef; the input has to be one tensor of strings."""
        return regression_signature_def(_only_string(receiver_tensors), self.value)


def _only_string(tensors: Any) -> Tensor:
    found = list(tensors.values()) if isinstance(tensors, dict) else [tensors]
    if len(found) != 1 or found[0].dtype is not dtypes.string:
        raise ValueError("Classification and regression signatures take one input tensor of serialised Examples")
    only: Tensor = found[0]
    return only


class ServingInputReceiver(NamedTuple):
    """The features that a model function is given, and the tensors by name that a request feeds."""

    features: Any
    receiver_tensors: Any
    receiver_tensors_alternatives: Any = None


TensorServingInputReceiver = ServingInputReceiver


def build_raw_serving_input_receiver_fn(
    features: dict[str, Any], default_batch_size: int | None = None
) -> Callable[[], ServingInputReceiver]:
    """Return a function whose model is fed the features themselves, by name."""

    def receiver() -> ServingInputReceiver:
        fed = {
            name: placeholder(t.dtype, [default_batch_size, *t.shape.as_list()[1:]], name=t.op.name)
            for name, t in features.items()
        }
        return ServingInputReceiver(fed, fed)

    return receiver


def build_parsing_serving_input_receiver_fn(
    feature_spec: dict[str, Any], default_batch_size: int | None = None
) -> Callable[[], ServingInputReceiver]:
    """Return a function whose model is fed serialised Examples."""

    def receiver() -> ServingInputReceiver:
        serialized = placeholder(dtypes.string, [default_batch_size], name="input_example_tensor")
        return ServingInputReceiver(parse_example(serialized, feature_spec), {"examples": serialized})

    return receiver


def signatures_of(export_outputs: Any, predictions: Any, receiver_tensors: Any) -> dict[str, Any]:
    """Return SignatureDefs by key; those that the inputs do not suit are left out, as in TensorFlow.

    Raises:
      ValueError: when several outputs are given and none is the default one.
    """
    outputs = dict(export_outputs or {DEFAULT_KEY: PredictOutput(predictions)})
    if DEFAULT_KEY not in outputs:
        if len(outputs) > 1:
            raise ValueError(
                f"Multiple export_outputs were provided, but none of them is specified as the default: {sorted(outputs)}"
            )
        outputs[DEFAULT_KEY] = next(iter(outputs.values()))
    tensors = receiver_tensors if isinstance(receiver_tensors, dict) else {"input": receiver_tensors}
    made = {}
    for key, output in outputs.items():
        try:
            made[key] = output.as_signature_def(tensors)
        except ValueError:
            continue
    return made


__all__ = [
    "ClassificationOutput", "ExportOutput", "PredictOutput", "RegressionOutput", "ServingInputReceiver",
    "TensorServingInputReceiver", "build_parsing_serving_input_receiver_fn", "build_raw_serving_input_receiver_fn",
    "signatures_of",
]  # fmt: skip
