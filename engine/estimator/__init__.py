"""`tf.estimator`: models as functions, and the loops that train, evaluate, predict and export them."""

from ..train.warm_start import WarmStartSettings
from . import inputs
from .canned import (
    BaselineClassifier,
    BaselineRegressor,
    DNNClassifier,
    DNNLinearCombinedClassifier,
    DNNLinearCombinedRegressor,
    DNNRegressor,
    LinearClassifier,
    LinearRegressor,
)
from .estimator import Estimator
from .spec import EstimatorSpec, ModeKeys, RunConfig
from .training import EvalSpec, FinalExporter, LatestExporter, TrainSpec, train_and_evaluate

__all__ = [
    "BaselineClassifier", "BaselineRegressor", "DNNClassifier", "DNNLinearCombinedClassifier",
    "DNNLinearCombinedRegressor", "DNNRegressor", "Estimator", "EstimatorSpec", "EvalSpec", "FinalExporter",
    "LatestExporter", "LinearClassifier", "LinearRegressor", "ModeKeys", "RunConfig", "TrainSpec", "WarmStartSettings", "inputs",
    "train_and_evaluate",
]  # fmt: skip
