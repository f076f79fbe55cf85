"""Warm execution environments of all functions, as many at once as this machine can run."""

from __future__ import annotations

import io
import tempfile
import threading
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from imgpipe_templates.local.environment import ExecutionEnvironment, Function, Outcome, Runtime

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class EnvironmentPool:
    """Runs invocations in environments that it keeps warm.

    Args:
        runtimes: Lambda runtime name -> what runs it on this machine.
        limit: Environments per function that work at the same time. Further invocations wait; functions do not wait
            for each other, so that one may call another.
    """

    def __init__(self, runtimes: Mapping[str, Runtime], *, endpoint_url: str, limit: int) -> None:
        self._runtimes = runtimes
        self._endpoint_url = endpoint_url
        self._turn: defaultdict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(limit))
        self._lock = threading.Lock()
        self._idle: defaultdict[tuple[str, str], list[ExecutionEnvironment]] = defaultdict(list)
        self._all: set[ExecutionEnvironment] = set()
        self._unpacked: dict[tuple[str, str], Path] = {}

    def runs(self, runtime: str) -> bool:
        """Whether functions of this Lambda runtime can be run here."""
        return runtime in self._runtimes

    def run(
        self, function: Function, state: str, packages: Mapping[str, Sequence[bytes]], payload: bytes, request_id: str
    ) -> Outcome:
        """Run `function` once, in a warm environment if there is one.

        Args:
            function: The function as it is deployed now.
            state: Changes whenever code or configuration does; environments of other states are closed.
            packages: `task` and `opt`: zips to unpack there, in order.
            payload: The event as JSON.
            request_id: Its identity in the log.
        """
        with self._lock:
            turn = self._turn[function.arn]
        with turn:
            environment = self._warm(function.arn, state) or self._cold(function, state, packages)
            try:
                return environment.invoke(payload, request_id)
            finally:
                with self._lock:
                    if environment.is_alive:
                        self._idle[function.arn, state].append(environment)
                    else:
                        self._all.discard(environment)

    def close(self) -> None:
        """Kill every environment."""
        with self._lock:
            environments, self._all = list(self._all), set()
            self._idle.clear()
        for environment in environments:
            environment.close()

    def _warm(self, arn: str, state: str) -> ExecutionEnvironment | None:
        with self._lock:
            if waiting := self._idle[arn, state]:
                return waiting.pop()
            outdated = [key for key in self._idle if key[0] == arn and key[1] != state]
            stale = [environment for key in outdated for environment in self._idle.pop(key)]
            self._all.difference_update(stale)
        for environment in stale:
            environment.close()
        return None

    def _cold(self, function: Function, state: str, packages: Mapping[str, Sequence[bytes]]) -> ExecutionEnvironment:
        folder = self._unpack(function.arn, state, packages)
        environment = ExecutionEnvironment(
            function,
            self._runtimes[function.runtime],
            task=folder / "task",
            opt=folder / "opt",
            endpoint_url=self._endpoint_url,
        )
        with self._lock:
            self._all.add(environment)
        return environment

    def _unpack(self, arn: str, state: str, packages: Mapping[str, Sequence[bytes]]) -> Path:
        """Where code and layers lie: unpacked once and shared, since functions only read them."""
        with self._lock:
            if (arn, state) not in self._unpacked:
                folder = Path(tempfile.mkdtemp(prefix="code-"))
                for name, zips in packages.items():
                    (folder / name).mkdir()
                    for content in zips:
                        with zipfile.ZipFile(io.BytesIO(content)) as package:
                            package.extractall(folder / name)
                self._unpacked[arn, state] = folder
            return self._unpacked[arn, state]
