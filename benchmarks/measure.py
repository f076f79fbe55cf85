"""CPU time of whole processes, taken in turns so that a busy machine disturbs all of them alike."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Command:
    """A process to measure.

    Attributes:
        fresh_cache: Whether each run gets an empty cache folder; otherwise all runs of one measurement share one.
    """

    arguments: Sequence[str]
    fresh_cache: bool = False


@dataclass(frozen=True)
class Samples:
    """CPU milliseconds of one command, a value a round."""

    values: Sequence[float]

    @property
    def median(self) -> float:
        """The value in the middle."""
        return statistics.median(self.values)

    def ratio(self, other: Samples) -> float:
        """The middle one of the ratios to `other`, each taken within one round."""
        return statistics.median(mine / theirs for mine, theirs in zip(self.values, other.values, strict=True))


def measure(commands: Mapping[str, Command], rounds: int) -> dict[str, Samples]:
    """Run all commands in turn, `rounds` times after one round that warms caches and writes bytecode."""
    values: dict[str, list[float]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory(prefix="imgpipe-benchmark-") as folder:
        for number in range(rounds + 1):
            for name, command in commands.items():
                cache = Path(folder, f"{name}-{number}" if command.fresh_cache else "shared")
                milliseconds = _cpu_milliseconds(command, cache)
                if number:
                    values[name].append(milliseconds)
    return {name: Samples(taken) for name, taken in values.items()}


def _cpu_milliseconds(command: Command, cache: Path) -> float:
    """User and system time of one run, of its own children too.

    Raises:
        RuntimeError: The run did not end as it should.
    """
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment["IMGPIPE_CACHE_DIR"] = str(cache)
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command.arguments, stdout=output, stderr=output, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            said = output.read().decode(errors="replace")
            raise RuntimeError(f"{' '.join(command.arguments)}: exit status {process.returncode}\n{said}")
    return (usage.ru_utime + usage.ru_stime) * 1000
