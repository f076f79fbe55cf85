"""`--set KEY=VALUE`: one key at a time, above all files."""

from __future__ import annotations

from typing import Any

import pytest

from tests.configuration.sample import faults, read

NAMED = 'name = "a"\n'


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("processing.memory_mb=2048", 2048),
        ("processing.memory_mb = 2_048", 2048),
        ("processing.tracing=true", True),
        ("processing.sampling=1e-1", 0.1),
        ("processing.runtime=python3.12", "python3.12"),
        ("processing.runtime='python3.12'", "python3.12"),
        ("processing.reserved_concurrency=none", None),
        ('uploads.extensions=["gif", "webp"]', ("gif", "webp")),
        ("uploads.prefix=", ""),
        ("uploads.prefix=a=b#c", "a=b#c"),
        ("uploads.prefix=2026", "2026"),
        ("uploads.prefix=true", "true"),
        ("uploads.prefix=3.10", "3.10"),
        ("uploads.prefix=1\nx=2", "1\nx=2"),
    ],
)
def test_an_override_wins(override: str, value: Any):
    config = read(f"{NAMED}[processing]\nmemory_mb = 1024\nreserved_concurrency = 3", override)
    table, key = override.partition("=")[0].strip().split(".")
    assert getattr(getattr(config, table), key) == value


def test_an_override_reaches_a_table_in_a_table():
    config = read(f"{NAMED}[processing.output]\nformat = 'jpeg'", "processing.output.background=#ffffff")
    assert (config.processing.output.format, config.processing.output.background) == ("jpeg", "#ffffff")


def test_later_overrides_win_and_tables_may_begin_with_one():
    config = read("", "name=a", "tags.Team=1", 'tags."Cost centre"=2', "name=b", 'network.subnets=["s"]')
    assert (config.name, config.tags) == ("b", {"Team": "1", "Cost centre": "2"})
    assert config.network is not None
    assert config.network.subnets == ("s",)


def test_a_whole_table_may_be_overridden():
    assert read(f"{NAMED}tags.A = '1'", "tags={B = '2'}").tags == {"A": "1", "B": "2"}


def test_a_table_that_was_taken_away_may_come_back():
    assert read(f"{NAMED}network = 'none'", "network.subnets=['s']").network is not None


@pytest.mark.parametrize(
    ("override", "words"),
    [
        (
            "processing.memory_mb=lots",
            "processing.memory_mb: expected a whole number, got 'lots'; expected 128..10240 MB",
        ),
        ("processing.memory_mb=1", "processing.memory_mb: 1 is out of range; expected 128..10240 MB"),
        ("processing.memory=1", "processing.memory: unknown key; did you mean memory_mb?"),
        ("memory_mb=1", "memory_mb: unknown key; did you mean processing.memory_mb?"),
        ("processing=3", "processing: expected a table, got 3"),
        (
            "processing.memory_mb",
            "processing.memory_mb: has no value; expected KEY=VALUE, such as processing.memory_mb=...",
        ),
        ("name.first=x", "name.first: name is text and has no keys; expected name=VALUE"),
        ("=x", "'' is no key; expected KEY=VALUE, the key as in TOML, such as name=..."),
        ("a b=x", "'a b' is no key; expected KEY=VALUE, the key as in TOML, such as name=..."),
        ("a\nb=x", "'a\\nb' is no key; expected KEY=VALUE, the key as in TOML, such as name=..."),
        ("preset=x", "preset: cannot be overridden; expected in the file, or as --preset"),
        (f"{'a.' * 3000}b=1", f"{'a.' * 3000}b: is nested too deeply; expected tables of plain values"),
        (f"storage.log_days={2**70}", "storage.log_days: a whole number is too large; expected at most 63 bits"),
    ],
)
def test_a_wrong_override_names_itself(override: str, words: str):
    assert faults(NAMED, override) == [f"--set {override}: {words}"]


def test_bytes_that_are_no_text():
    assert faults(NAMED, "uploads.prefix=\udcff") == [
        "--set 'uploads.prefix=\\udcff': is not UTF-8 text; expected KEY=VALUE in UTF-8"
    ]


def test_an_override_does_not_hide_that_a_table_is_none():
    assert faults("processing = 3", "name=a", "processing.tracing=true") == [
        "imgpipe.toml:1: processing: expected a table, got 3",
        "--set processing.tracing=true: processing.tracing: processing is 3 and has no keys; expected a table",
    ]


def test_the_override_that_made_the_fault_is_the_one_named():
    [fault] = faults(f"{NAMED}processing.memory_mb = 512", "processing.memory_mb=1", "processing.memory_mb=2")
    assert fault.startswith("--set processing.memory_mb=2: ")


def test_an_override_mends_a_file():
    assert read(f"{NAMED}processing.memory_mb = 'lots'", "processing.memory_mb=256").processing.memory_mb == 256
