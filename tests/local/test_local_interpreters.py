"""Which Python runs a function."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from imgpipe_templates.errors import LocalEngineError
from imgpipe_templates.local.interpreters import find_interpreter

OWN = "python{}.{}".format(*sys.version_info[:2])


def fake(path: Path, *, says: str = "", status: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}' \"$0\"\nexit {status}\n", encoding="ascii")
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose only Pythons are those in the folders of `tmp_path`, and the one that runs this."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "uv"))
    return tmp_path


def test_a_name_that_does_not_run_is_passed_over(machine: Path):
    fake(machine / "bin" / "python3.13", status=127)  # a shim of a version that is not active
    older = fake(machine / "pyenv" / "versions" / "3.13.2" / "bin" / "python3.13", says="3 13 2")
    newer = fake(machine / "pyenv" / "versions" / "3.13.10" / "bin" / "python3.13", says="3 13 10")

    found = find_interpreter("python3.13")

    assert (found.path, found.version, found.is_exact) == (newer, (3, 13, 10), True)
    assert found.path != older
    assert found.explain("python3.13") == f"functions of python3.13 run under Python 3.13.10 ({newer})"


def test_a_shim_is_taken_for_the_interpreter_that_it_starts(machine: Path):
    real = machine / "versions" / "3.13.1" / "bin" / "python3.13"
    shim = fake(machine / "bin" / "python3.13")
    shim.write_text(f"#!/bin/sh\necho 3 13 1 '{real}'\n", encoding="ascii")

    assert find_interpreter("python3.13").path == real


def test_uv_installations_are_found(machine: Path):
    python = fake(machine / "uv" / "cpython-3.13.1-linux-x86_64-gnu" / "bin" / "python3.13", says="3 13 1")

    assert find_interpreter("python3.13").path == python


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="this Python is one of the nearest itself")
def test_the_nearest_version_is_taken_and_told(machine: Path):
    fake(machine / "bin" / "python3.12", says="3 12 1")
    nearest = fake(machine / "bin" / "python3.14", says="3 14 0")

    found = find_interpreter("python3.13")

    assert (found.path, found.is_exact) == (nearest, False)
    assert "python3.13 itself is not on this machine" in found.explain("python3.13")


@pytest.mark.usefixtures("machine")
def test_without_any_other_the_own_python_runs_it():
    assert find_interpreter("python3.13").version == sys.version_info[:3]
    assert find_interpreter(OWN).is_exact


def test_another_language_is_refused():
    with pytest.raises(LocalEngineError, match=r"'nodejs22\.x' cannot be run here; expected a Python runtime"):
        find_interpreter("nodejs22.x")
