"""CPU time of whole processes. The processes take turns, so a busy machine affects all of them alike."""

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
        fresh_cache: True to use an empty cache folder for each run; otherwise all runs share one.
        cwd: Working folder; None means the current one.
    """

    arguments: Sequence[str]
    fresh_cache: bool = False
    cwd: Path | None = None


@dataclass(frozen=True)
class Samples:
    """Values of one command, one per round: CPU milliseconds, or ratios to another command."""

    values: Sequence[float]

    @property
    def median(self) -> float:
        """The median of the values."""
        return statistics.median(self.values)

    def ratio(self, other: Samples) -> float:
        """Return the median of the ratios to `other`."""
        return self.ratios(other).median

    def ratios(self, other: Samples) -> Samples:
        """Return the ratios to `other`, each within one round."""
        return Samples([one / another for one, another in zip(self.values, other.values, strict=True)])


def measure(commands: Mapping[str, Command], rounds: int) -> dict[str, Samples]:
    """Run all commands in turn, `rounds` times after one round that fills caches and writes bytecode."""
    values: dict[str, list[float]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory(prefix="imgpipe-benchmark-") as folder:
        for number in range(rounds + 1):
            for name, command in commands.items():
                cache = Path(folder, f"{name}-{number}" if command.fresh_cache else "shared")
                milliseconds = _cpu_milliseconds(command, cache)
                if number:
                    values[name].append(milliseconds)
    return {name: Samples(measured) for name, measured in values.items()}


def _cpu_milliseconds(command: Command, cache: Path) -> float:
    """Return user and system time of one run, child processes included.

    Raises:
        RuntimeError: The exit status of the run is not 0.
    """
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment["IMGPIPE_CACHE_DIR"] = str(cache)
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command.arguments, stdout=output, stderr=output, env=environment, cwd=command.cwd)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            text = output.read().decode(errors="replace")
            raise RuntimeError(f"{' '.join(command.arguments)}: exit status {process.returncode}\n{text}")
    return (usage.ru_utime + usage.ru_stime) * 1000
