"""A configuration that was checked before is not checked again, unless something it depends on has changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from imgpipe_templates.configuration import Layer, load
from imgpipe_templates.configuration.checking import check
from tests.configuration.sample import Pipeline, faults, read

TEXT = """name = "photos"
tags = { class = "a", module = "b", table = "c" }
uploads.extensions = ["gif"]
processing = { sampling = 1, reserved_concurrency = 3, batch = 2, output.format = "jpeg" }
network.subnets = ["a", "b"]
"""
SHOW = f"""
import sys
from tests.configuration.sample import Pipeline
from imgpipe_templates.configuration import Layer, load
print(load(Pipeline, [Layer("imgpipe.toml", {TEXT!r})], ["storage.log_days=7"]))
print(*sorted({{"pydantic", "tomllib", "annotated_types"}} & set(sys.modules)))
"""


@pytest.fixture
def remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IMGPIPE_CACHE_DIR", str(tmp_path))
    return tmp_path / "configuration"


def test_a_remembered_configuration_is_equal_and_costs_neither_pydantic_nor_toml(remembered: Path, repository: Path):
    def shown() -> list[str]:
        command = [sys.executable, "-c", SHOW]
        environment = {**os.environ, "PYTHONPATH": str(repository)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.splitlines()

    first, used = shown()
    assert "pydantic" in used
    assert len(list(remembered.iterdir())) == 1
    again, used = shown()
    assert used == ""
    assert again == first
    assert first == repr(check(Pipeline, [Layer("imgpipe.toml", TEXT)], ["storage.log_days=7"], None))


@pytest.mark.usefixtures("remembered")
def test_what_is_remembered_has_the_same_types():
    first, again = read(TEXT), read(TEXT)
    assert first == again
    assert repr(first) == repr(again)


@pytest.mark.parametrize("damage", ["", "nonsense", "\n{}", "0" * 64 + "\n{}", "{text}x", "\udcff"])
def test_a_damaged_memory_is_checked_anew(remembered: Path, damage: str):
    first = read(TEXT)
    [file] = remembered.iterdir()
    text = file.read_text(encoding="utf-8")
    file.write_bytes(damage.replace("{text}", text).encode("utf-8", "surrogateescape"))
    assert read(TEXT) == first
    assert file.read_text(encoding="utf-8") == text


def test_a_changed_value_in_the_memory_is_not_believed(remembered: Path):
    read(TEXT)
    [file] = remembered.iterdir()
    file.write_text(file.read_text(encoding="utf-8").replace('"photos"', '"phantom"'), encoding="utf-8")
    assert read(TEXT).name == "photos"


def test_other_texts_or_overrides_are_other_memories(remembered: Path):
    names = {read("name = 'a'").name, read("name = 'b'").name, read("name = 'a'", "name=c").name}
    assert names == {"a", "b", "c"}
    assert len(list(remembered.iterdir())) == 3


def test_faults_are_not_remembered(remembered: Path):
    assert faults("name = 1") == faults("name = 1")
    assert not remembered.exists()


def test_the_memory_can_be_left_alone(remembered: Path):
    assert load(Pipeline, [Layer("imgpipe.toml", TEXT)], cached=False).name == "photos"
    assert not remembered.exists()
