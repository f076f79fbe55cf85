"""Packages of local runs are kept, and built again when what they are made of changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from imgpipe_templates.local.interpreters import find_interpreter
from imgpipe_templates.local.packages import LocalFunction, local_packages

HELPER = LocalFunction("bucket_notification", "Code", "python3.13")


def built(function: LocalFunction, folder: Path) -> Path:
    (package,) = local_packages((function,), (), {"python3.13": find_interpreter("python3.13")}, folder)
    return package.path


def test_a_package_is_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("IMGPIPE_CACHE_DIR", str(tmp_path / "cache"))

    first = built(HELPER, tmp_path / "one")
    second = built(HELPER, tmp_path / "two")

    assert first.is_relative_to(tmp_path / "one")
    assert second.is_relative_to(tmp_path / "cache")
    assert not (tmp_path / "two").exists()
    assert second.read_bytes() == first.read_bytes()

    layered = built(replace(HELPER, has_layer=True), tmp_path / "three")
    assert layered.is_relative_to(tmp_path / "three")


def test_a_cache_that_cannot_be_written_only_costs_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("IMGPIPE_CACHE_DIR", str(tmp_path / "file"))
    (tmp_path / "file").touch()

    assert built(HELPER, tmp_path / "one").is_file()
    assert built(HELPER, tmp_path / "two").is_relative_to(tmp_path / "two")
