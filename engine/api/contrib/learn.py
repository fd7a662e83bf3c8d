"""`tf.contrib.learn`."""

from types import SimpleNamespace as _Namespace

from ...contrib.learn import csv_data as _csv
from ...contrib.learn import experiment as _experiment
from ...contrib.learn import inputs as _inputs
from ...contrib.learn import monitors as _monitors
from ...contrib.learn.canned import (
    DNNClassifier,
    DNNLinearCombinedClassifier,
    DNNLinearCombinedRegressor,
    DNNRegressor,
    LinearClassifier,
    LinearRegressor,
)
from ...contrib.learn.estimator import LearnEstimator as Estimator
from ...contrib.learn.estimator import NotFittedError, SKCompat
from ...contrib.learn.experiment import Experiment
from ...contrib.learn.inputs import (
    extract_pandas_data,
    extract_pandas_labels,
    extract_pandas_matrix,
    infer_real_valued_columns_from_input,
    infer_real_valued_columns_from_input_fn,
)
from ...contrib.learn.specs import InputFnOps, MetricSpec, ModeKeys, ModelFnOps, PredictionKey, ProblemType, TaskType
from ...contrib.learn.specs import LearnRunConfig as RunConfig
from ...contrib.preprocessing import CategoricalVocabulary, VocabularyProcessor, tokenizer
from ...interop.mnist import load_mnist, read_data_sets
from ...train.monitored import NanLossDuringTrainingError

BaseEstimator = Estimator
estimators = _Namespace(
    model_fn=_Namespace(ModeKeys=ModeKeys, ModelFnOps=ModelFnOps), run_config=_Namespace(RunConfig=RunConfig)
)
io = _Namespace(
    extract_pandas_data=extract_pandas_data,
    extract_pandas_labels=extract_pandas_labels,
    extract_pandas_matrix=extract_pandas_matrix,
    numpy_input_fn=_inputs.learn_numpy_input_fn,
    pandas_input_fn=_inputs.learn_pandas_input_fn,
)
learn_runner = _Namespace(run=_experiment.run, tune=_experiment.tune)
metric_spec = _Namespace(MetricSpec=MetricSpec)
model_fn = estimators.model_fn
monitors = _Namespace(
    BaseMonitor=_monitors.BaseMonitor,
    CheckpointSaver=_monitors.checkpoint_saver,
    EveryN=_monitors.EveryN,
    LoggingTrainable=_monitors.LoggingTrainable,
    NanLoss=_monitors.nan_loss,
    PrintTensor=_monitors.PrintTensor,
    RunHookAdapterForMonitors=_monitors.MonitorHook,
    StepCounter=_monitors.step_counter,
    StopAtStep=_monitors.stop_at_step,
    SummarySaver=_monitors.summary_saver,
    ValidationMonitor=_monitors.ValidationMonitor,
    replace_monitors_with_hooks=_monitors.replace_monitors_with_hooks,
)
preprocessing = _Namespace(
    CategoricalVocabulary=CategoricalVocabulary, VocabularyProcessor=VocabularyProcessor, tokenizer=tokenizer
)
run_config = estimators.run_config
datasets = _Namespace(
    base=_Namespace(
        Dataset=_csv.Dataset,
        Datasets=_csv.Datasets,
        load_csv_with_header=_csv.load_csv_with_header,
        load_csv_without_header=_csv.load_csv_without_header,
    ),
    mnist=_Namespace(load_mnist=load_mnist, read_data_sets=read_data_sets),
)

__all__ = [
    "BaseEstimator", "DNNClassifier", "DNNLinearCombinedClassifier", "DNNLinearCombinedRegressor", "DNNRegressor",
    "Estimator", "Experiment", "InputFnOps", "LinearClassifier", "LinearRegressor", "MetricSpec", "ModeKeys", "ModelFnOps",
    "NanLossDuringTrainingError", "NotFittedError", "PredictionKey", "ProblemType", "RunConfig", "SKCompat", "TaskType",
    "datasets", "estimators", "extract_pandas_data", "extract_pandas_labels", "extract_pandas_matrix",
    "infer_real_valued_columns_from_input", "infer_real_valued_columns_from_input_fn", "io", "learn_runner", "metric_spec",
    "model_fn", "monitors", "preprocessing", "run_config",
]  # fmt: skip
