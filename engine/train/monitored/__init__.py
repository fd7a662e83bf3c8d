"""Sessions that survive: monitored sessions with hooks, Scaffold, SessionManager, Supervisor, and a cluster's names."""

from .cluster import ClusterSpec, Server
from .creators import ChiefSessionCreator, SessionCreator, WorkerSessionCreator
from .hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from .scaffold import Scaffold
from .session import MonitoredSession, MonitoredTrainingSession, SingularMonitoredSession
from .session_manager import SessionManager
from .supervisor import Supervisor, basic_train_loop
from .timer import SecondOrStepTimer
from .watching_hooks import (
    FeedFnHook,
    FinalOpsHook,
    GlobalStepWaiterHook,
    LoggingTensorHook,
    NanLossDuringTrainingError,
    NanTensorHook,
    StopAtStepHook,
)
from .writing_hooks import CheckpointSaverHook, CheckpointSaverListener, ProfilerHook, StepCounterHook, SummarySaverHook

__all__ = [
    "CheckpointSaverHook", "CheckpointSaverListener", "ChiefSessionCreator", "ClusterSpec", "FeedFnHook", "FinalOpsHook",
    "GlobalStepWaiterHook", "LoggingTensorHook", "MonitoredSession", "MonitoredTrainingSession", "NanLossDuringTrainingError",
    "NanTensorHook", "ProfilerHook", "Scaffold", "SecondOrStepTimer", "Server", "SessionCreator", "SessionManager",
    "SessionRunArgs", "SessionRunContext", "SessionRunHook", "SessionRunValues", "SingularMonitoredSession", "StepCounterHook",
    "StopAtStepHook", "SummarySaverHook", "Supervisor", "WorkerSessionCreator", "basic_train_loop",
]  # fmt: skip
