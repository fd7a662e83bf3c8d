"""`tf.train.ClusterSpec` and `tf.train.Server`: a cluster as data, and the one server that is this process.

Sessions run in this process. A cluster of one task is therefore served here; a larger one is refused with what takes its place.
"""

from __future__ import annotations

import functools
import threading
from typing import Any

from ....ops.core import protos
from ....ops.core.errors import UnimplementedError
from ....ops.core.own_protos import message_classes

_LOCAL = "local"


class ClusterSpec:
    """The tasks of a cluster: `{"worker": ["host:port", ...], "ps": {0: "host:port"}}`, a ClusterDef, or another ClusterSpec.

    Raises:
      TypeError: for anything else, and for addresses that are no strings.
    """

    def __init__(self, cluster: Any) -> None:
        self._jobs = {job: dict(sorted(tasks.items())) for job, tasks in sorted(_jobs_of(cluster).items())}
        for job, tasks in self._jobs.items():
            for index, address in tasks.items():
                if not isinstance(index, int) or not isinstance(address, str):
                    raise TypeError(f"Task {index!r} of job {job!r} must have an integer index and a string address")

    def __bool__(self) -> bool:
        return bool(self._jobs)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClusterSpec) and self._jobs == other._jobs

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"ClusterSpec({self.as_dict()})"

    def as_dict(self) -> dict[str, Any]:
        """Return the addresses by job: a list where tasks are numbered without gaps, else a dict."""
        return {
            job: list(tasks.values()) if list(tasks) == list(range(len(tasks))) else dict(tasks)
            for job, tasks in self._jobs.items()
        }

    def as_cluster_def(self) -> Any:
        """Return the ClusterDef."""
        made = protos.ClusterDef()
        for job, tasks in self._jobs.items():
            entry = made.job.add(name=job)
            for index, address in tasks.items():
                entry.tasks[index] = address
        return made

    @property
    def jobs(self) -> list[str]:
        """The names of the jobs."""
        return list(self._jobs)

    def num_tasks(self, job_name: str) -> int:
        """Return how many tasks a job has."""
        return len(self._tasks(job_name))

    def task_indices(self, job_name: str) -> list[int]:
        """Return the numbers of a job's tasks."""
        return list(self._tasks(job_name))

    def task_address(self, job_name: str, task_index: int) -> str:
        """Return the address of a task."""
        tasks = self._tasks(job_name)
        if task_index not in tasks:
            raise ValueError(f"No task with index {task_index!r} in job {job_name!r}")
        return tasks[task_index]

    def job_tasks(self, job_name: str) -> list[str | None]:
        """Return the addresses of a job's tasks by number, None where there is none."""
        tasks = self._tasks(job_name)
        return [tasks.get(i) for i in range(max(tasks, default=-1) + 1)]

    def _tasks(self, job_name: str) -> dict[int, str]:
        if job_name not in self._jobs:
            raise ValueError(f"No such job in cluster: {job_name!r}")
        return self._jobs[job_name]


def _jobs_of(cluster: Any) -> dict[str, dict[int, str]]:
    if isinstance(cluster, ClusterSpec):
        return cluster._jobs
    if isinstance(cluster, protos.ClusterDef):
        return {job.name: dict(job.tasks) for job in cluster.job}
    if not isinstance(cluster, dict):
        raise TypeError(
            "`cluster` must be a dictionary mapping one or more job names to lists of network addresses, or a `ClusterDef` "
            "protocol buffer"
        )
    jobs = {}
    for job, tasks in cluster.items():
        if not isinstance(tasks, dict | list | tuple):
            raise TypeError(f"The tasks for job {job!r} must be a list or a dictionary from integers to strings.")
        jobs[job] = dict(tasks) if isinstance(tasks, dict) else dict(enumerate(tasks))
    return jobs


@functools.cache
def server_def_class() -> Any:
    """Return the class of ServerDef: a task of a cluster, and how it runs."""
    modules = [protos.load("cluster_pb2"), protos.load("config_pb2")]
    fields = (
        ".tensorboard.ClusterDef cluster 1", "string job_name 2", "int32 task_index 3",
        ".tensorboard.ConfigProto default_session_config 4", "string protocol 5",
    )  # fmt: skip
    return message_classes("millstream.server", {"ServerDef": fields}, modules).ServerDef


class Server:
    """The server of a cluster's one task: sessions with its `target` run in this process.

    Args:
      server_or_cluster_def: a ClusterSpec, a dict of jobs, a ClusterDef or a ServerDef, of one task.
      job_name, task_index: the task. protocol, config: kept in `server_def`. start: accepted; nothing has to be started.

    Raises:
      UnimplementedError: for a cluster of several tasks.
      ValueError: for a task that the cluster does not have.
    """

    def __init__(
        self, server_or_cluster_def: Any, job_name: str | None = None, task_index: int | None = None, protocol: str | None = None,
        config: Any = None, start: bool = True,
    ) -> None:  # fmt: skip
        given = server_or_cluster_def if isinstance(server_or_cluster_def, server_def_class()) else server_def_class()()
        cluster = ClusterSpec(given.cluster if given is server_or_cluster_def else server_or_cluster_def)
        job, index = _only_task(cluster)
        self._server_def = server_def_class()(
            cluster=cluster.as_cluster_def(), job_name=job_name or given.job_name or job,
            task_index=(given.task_index or index) if task_index is None else task_index,
            protocol=protocol or given.protocol or "grpc", default_session_config=config or given.default_session_config,
        )  # fmt: skip
        cluster.task_address(self._server_def.job_name, self._server_def.task_index)
        self._ended = threading.Event()

    @staticmethod
    def create_local_server(config: Any = None, start: bool = True) -> Server:
        """Return a server of this process alone."""
        return Server({"localhost": ["localhost:0"]}, protocol="grpc", config=config, start=start)

    @property
    def server_def(self) -> Any:
        """The ServerDef: the cluster, the task in it, the protocol and the configuration of sessions."""
        return self._server_def

    @property
    def target(self) -> str:
        """What a Session takes to use this server."""
        return _LOCAL

    def start(self) -> None:
        """Do nothing: sessions run in this process."""

    def join(self) -> None:
        """Wait for ever, as a server's program does; Ctrl-C ends it."""
        while not self._ended.wait(1.0):
            pass


def _only_task(cluster: ClusterSpec) -> tuple[str, int]:
    tasks = [(job, index) for job in cluster.jobs for index in cluster.task_indices(job)]
    if len(tasks) != 1:
        raise UnimplementedError(
            None, None,
            f"tf.train.Server needs a cluster of one task, this one has {len(tasks)}: {cluster.as_dict()}. All devices "
            "of this machine are in one process here, so run one program and place towers with tf.device('/gpu:N')",
        )  # fmt: skip
    return tasks[0]
