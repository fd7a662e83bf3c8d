"""FileWriter: graphs, summaries and run metadata into event files.

The framing, checksums and the writing thread are tensorboard's EventFileWriter, loaded when the first writer is made.
Invariant: what was added is in the file when the writer is closed or forgotten, or the program ends, by an error too.
"""

from __future__ import annotations

import os
import threading
import time
import warnings
import weakref
from importlib import import_module
from typing import Any, ClassVar

from ...ops.core import protos
from ...ops.core.checksums import masked_crc
from ...ops.core.graph import Graph, get_default_graph
from ..checkpoint.meta_graph import export_meta_graph
from .placed import placed_graph, timed_nodes


class FileWriter:
    """Writes events to a file in `logdir`.

    Args:
      logdir: the folder, made if it is missing.
      graph: a Graph to write at once, and as a MetaGraphDef. graph_def: a GraphDef in its place.
      max_queue: how many events may wait to be written. flush_secs: how often they are flushed, in seconds.
      filename_suffix: appended to the file's name.
    """

    def __init__(
        self, logdir: str, graph: Any = None, max_queue: int = 10, flush_secs: int = 120, graph_def: Any = None,
        filename_suffix: str | None = None, session: Any = None,
    ) -> None:  # fmt: skip
        self._arguments = (str(logdir), max_queue, flush_secs, filename_suffix or "")
        self._closed = False
        self._tags: set[str] = set()
        self._described: set[str] = set()
        self._graph: Any = None
        self._writer = self._open()
        if graph is not None or graph_def is not None:
            self.add_graph(graph, graph_def=graph_def)
            # With its collections, for who makes the graph anew from the file.
            self.add_meta_graph(
                export_meta_graph(graph_def=self._graph, graph=graph if isinstance(graph, Graph) else None)
            )

    def _open(self) -> Any:
        module = import_module("tensorboard.summary.writer.event_file_writer")
        # TensorBoard's own checksums are computed in Python, a few megabytes a second, and nothing else runs meanwhile.
        vars(import_module("tensorboard.summary.writer.record_writer"))["masked_crc32c"] = masked_crc
        logdir, max_queue, flush_secs, suffix = self._arguments
        made = module.EventFileWriter(logdir, max_queue, flush_secs, suffix)
        self._end = weakref.finalize(self, _close, made, os.getpid())
        return made

    def get_logdir(self) -> str:
        """Return the folder that is written to."""
        return self._arguments[0]

    def add_event(self, event: Any) -> None:
        """Write an Event proto; after `close()` nothing but a warning comes of it, until `reopen()`."""
        if not self._warn_if_closed():
            self._writer.add_event(event)

    def _warn_if_closed(self) -> bool:
        if self._closed:
            warnings.warn(
                f"Attempting to use a closed FileWriter ({self._arguments[0]!r}). The operation will be a noop unless the "
                "FileWriter is explicitly reopened.",
                stacklevel=4,
            )
        return self._closed

    def _add(self, global_step: Any = None, **content: Any) -> None:
        event = protos.Event(wall_time=time.time(), **content)
        if global_step is not None:
            event.step = int(global_step)
        self.add_event(event)

    def add_summary(self, summary: Any, global_step: Any = None) -> None:
        """Write a Summary proto, or the serialised one that a summary op returned."""
        message = protos.Summary.FromString(summary if isinstance(summary, bytes) else summary.SerializeToString())
        for value in message.value:
            if value.HasField("metadata"):
                self._describe_once(value)
        self._add(global_step, summary=message)

    def _describe_once(self, value: Any) -> None:
        """Keep what a tag's values are in the first of them only, as readers expect."""
        if value.tag in self._described:
            value.ClearField("metadata")
        self._described.add(value.tag)

    def add_graph(self, graph: Any, global_step: Any = None, graph_def: Any = None) -> None:
        """Write a Graph, or a GraphDef in its place, for TensorBoard's graph page.

        Raises:
          ValueError: when both are given. TypeError: when it is neither.
        """
        if graph is not None and graph_def is not None:
            raise ValueError("Please pass only graph, or graph_def (deprecated), but not both.")
        definition = graph_def if graph_def is not None else graph
        if hasattr(definition, "as_graph_def"):
            definition = definition.as_graph_def(add_shapes=True)
        if not hasattr(definition, "SerializeToString"):
            raise TypeError(
                f"The passed graph must be an instance of `Graph` or the deprecated `GraphDef`, not {type(definition).__name__}"
            )
        self._graph = definition
        self._add(global_step, graph_def=definition.SerializeToString())

    def add_meta_graph(self, meta_graph_def: Any, global_step: Any = None) -> None:
        """Write a MetaGraphDef; TypeError for anything else."""
        if not isinstance(meta_graph_def, protos.MetaGraphDef):
            raise TypeError(f"meta_graph_def must be type MetaGraphDef, saw type: {type(meta_graph_def)}")
        self._add(global_step, meta_graph_def=meta_graph_def.SerializeToString())

    def add_run_metadata(self, run_metadata: Any, tag: str, global_step: Any = None) -> None:
        """Write a RunMetadata under a tag that TensorBoard offers; ValueError when the tag was used before.

        Where it tells on which devices nodes ran, the graph that was written is written again, with these devices.
        """
        if tag in self._tags:
            raise ValueError("The provided tag was already used for this event type")
        self._tags.add(tag)
        if self._graph is not None and run_metadata.partition_graphs:
            self._graph = placed_graph(self._graph, run_metadata.partition_graphs)
            self._add(global_step, graph_def=self._graph.SerializeToString())
        message = protos.TaggedRunMetadata(tag=tag, run_metadata=timed_nodes(run_metadata).SerializeToString())
        self._add(global_step, tagged_run_metadata=message)

    def add_session_log(self, session_log: Any, global_step: Any = None) -> None:
        """Write a SessionLog proto."""
        self._add(global_step, session_log=session_log)

    def flush(self) -> None:
        """Write what waits to the file."""
        if not self._warn_if_closed():
            self._writer.flush()

    def close(self) -> None:
        """Write what waits and close the file."""
        if not self._closed:
            self._end.detach()
            self._writer.close()
            self._closed = True

    def reopen(self) -> None:
        """Go on in a new file of the same folder; nothing happens when the writer is open."""
        if self._closed:
            self._writer = self._open()
            self._closed = False
            self._described.clear()

    def __enter__(self) -> FileWriter:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def _close(writer: Any, process: int) -> None:
    """Write what waits and end the thread; in a process that was forked off there is neither."""
    if os.getpid() != process:
        return
    if threading.current_thread() is threading.main_thread():
        writer.close()
    else:
        # Memory may be collected in the writer's own thread, which cannot wait for itself.
        threading.Thread(target=writer.close, name="millstream closing a file", daemon=True).start()


class FileWriterCache:
    """One FileWriter per folder, shared by all who ask."""

    _lock = threading.Lock()
    _writers: ClassVar[dict[str, FileWriter]] = {}

    @staticmethod
    def get(logdir: str) -> FileWriter:
        """Return the writer for a folder, made when it is new; a new one writes the default graph."""
        with FileWriterCache._lock:
            if logdir not in FileWriterCache._writers:
                FileWriterCache._writers[logdir] = FileWriter(logdir, get_default_graph())
            return FileWriterCache._writers[logdir]

    @staticmethod
    def clear() -> None:
        """Close all writers and forget them."""
        with FileWriterCache._lock:
            for writer in FileWriterCache._writers.values():
                writer.close()
            FileWriterCache._writers.clear()
