"""What is said about a file that is wrong: place, key, value, what is allowed; and everything at once."""

from __future__ import annotations

import pytest

from imgpipe_templates.configuration import TomlSource, load
from imgpipe_templates.errors import ConfigError
from tests.configuration.sample import Pipeline, faults, read

NAMED = 'name = "a"\n'


def test_three_errors_are_reported_together():
    text = """name = "photos"

[processing]
thumbnail_size_px = 9000
thumbnail_px = 128
# a comment
memory_mb = "lots"
"""
    assert faults(text) == [
        "imgpipe.toml:4: processing.thumbnail_size_px: 9000 is out of range; expected 16..2048 pixels",
        "imgpipe.toml:5: processing.thumbnail_px: unknown key; did you mean thumbnail_size_px?",
        "imgpipe.toml:7: processing.memory_mb: expected a whole number, got 'lots'; expected 128..10240 MB",
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("memory_mb = true", "memory_mb: expected a whole number, got true; expected 128..10240 MB"),
        ("memory_mb = 512.0", "memory_mb: expected a whole number, got 512.0; expected 128..10240 MB"),
        ("memory_mb = [1]", "memory_mb: expected a whole number, got [1]; expected 128..10240 MB"),
        ("memory_mb = {a = 1}", "memory_mb: expected a whole number, got a table; expected 128..10240 MB"),
        ("memory_mb = 2026-11-20", "memory_mb: expected a whole number, got 2026-11-20; expected 128..10240 MB"),
        ("memory_mb = 127", "memory_mb: 127 is out of range; expected 128..10240 MB"),
        ("memory_mb = 10241", "memory_mb: 10241 is out of range; expected 128..10240 MB"),
        ('tracing = "yes"', "tracing: expected true or false, got 'yes'"),
        ("tracing = 1", "tracing: expected true or false, got 1"),
        ('sampling = "x"', "sampling: expected a number, got 'x'; expected 0..1"),
        ("sampling = true", "sampling: expected a number, got true; expected 0..1"),
        ("sampling = nan", "sampling: expected a number, got nan; expected 0..1"),
        ("sampling = inf", "sampling: expected a number, got inf; expected 0..1"),
        ("sampling = 1.5", "sampling: 1.5 is out of range; expected 0..1"),
        ("runtime = 3.13", "runtime: 3.13 is not allowed; expected 'python3.12' or 'python3.13'"),
        ('runtime = "node"', "runtime: 'node' is not allowed; expected 'python3.12' or 'python3.13'"),
        (
            "reserved_concurrency = 0",
            'reserved_concurrency: 0 is out of range; expected 1..1000 invocations, or "none"',
        ),
        (
            'reserved_concurrency = "all"',
            "reserved_concurrency: expected a whole number, got 'all'; expected 1..1000 invocations, or \"none\"",
        ),
    ],
)
def test_wrong_value(line: str, words: str):
    assert faults(f"{NAMED}[processing]\n{line}") == [f"imgpipe.toml:3: processing.{words}"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name = 3", "1: name: expected text, got 3"),
        (f"{NAMED}processing = 3", "2: processing: expected a table, got 3"),
        (f"{NAMED}tags = []", "2: tags: expected a table, got []"),
        (f"{NAMED}tags.A = 1", "2: tags.A: expected text, got 1"),
        (
            f"{NAMED}tags = {{'a:b' = 'c'}}",
            "2: tags.'a:b': 'a:b' is not allowed as a key; expected text without a colon",
        ),
        (f"{NAMED}[storage]\nlog_days = 2", "3: storage.log_days: 2 is not allowed; expected 1, 7 or 30 days"),
        (f"{NAMED}[storage]\nlog_days = 7.0", "3: storage.log_days: 7.0 is not allowed; expected 1, 7 or 30 days"),
        (f"{NAMED}[storage]\nlog_days = true", "3: storage.log_days: true is not allowed; expected 1, 7 or 30 days"),
        (
            f"{NAMED}[uploads]\nextensions = 'jpg'",
            "3: uploads.extensions: expected a list, got 'jpg'; expected 1..3 extensions, each lower-case letters; "
            'write ["jpg"]',
        ),
        (
            f"{NAMED}[uploads]\nextensions = []",
            "3: uploads.extensions: [] has length 0; expected 1..3 extensions, each lower-case letters",
        ),
        (
            f"{NAMED}[uploads]\nextensions = [\n  'jpg',\n  'PNG',\n]",
            "3: uploads.extensions[1]: 'PNG' is not allowed; expected lower-case letters; did you mean 'png'?",
        ),
        (
            f"{NAMED}uploads.extensions = ['jpg', 2]",
            "2: uploads.extensions[1]: expected text, got 2; expected lower-case letters",
        ),
        (
            f"{NAMED}[processing.output]\nformat = 'gif'",
            "3: processing.output.format: 'gif' is not allowed; expected 'auto' or 'jpeg'",
        ),
        (
            f"{NAMED}[processing]\nmemory_mb = 128\noutput = {{ background = 'red' }}",
            "4: processing.output.background: 'red' is not allowed; expected a colour such as #ffffff, or \"none\"",
        ),
        (f"{NAMED}processing.output = 'jpeg'", "2: processing.output: expected a table, got 'jpeg'"),
        (f"{NAMED}network.subnets = 1", "2: network.subnets: expected a list, got 1"),
    ],
)
def test_wrong_shape(text: str, words: str):
    assert faults(text) == [f"imgpipe.toml:{words}"]


def test_a_choice_of_types_is_one_fault():
    assert faults(f"{NAMED}[processing]\nbatch = 'all'") == [
        "imgpipe.toml:3: processing.batch: expected a whole number or 'auto', got 'all'"
    ]


def test_a_long_value_is_shortened():
    [fault] = faults(f"{NAMED}[processing]\ntracing = '{'x' * 1000}'")
    assert fault == f"imgpipe.toml:3: processing.tracing: expected true or false, got '{'x' * 59}..."


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[procesing]", "procesing: unknown key; did you mean processing?"),
        ("memory_mb = 3", "memory_mb: unknown key; did you mean processing.memory_mb?"),
        (
            "storage.thumbnail_size_px = 3",
            "storage.thumbnail_size_px: unknown key; did you mean processing.thumbnail_size_px?",
        ),
        (
            "processing.thumbnail-size-px = 3",
            "processing.thumbnail-size-px: unknown key; did you mean thumbnail_size_px?",
        ),
        (
            "processing.output.zzz = 1",
            "processing.output.zzz: unknown key; expected one of: format, background",
        ),
        ("processing.format = 1", "processing.format: unknown key; did you mean processing.output.format?"),
        ("uploads.zzz = 1", "uploads.zzz: unknown key; expected one of: prefix, extensions"),
        ("uploads.'a b' = 1", "uploads.'a b': unknown key; expected one of: prefix, extensions"),
        ("[[network]]", "network: expected a table, got [a table]"),
    ],
)
def test_unknown_key_is_reported(line: str, words: str):
    assert faults(NAMED + line) == [f"imgpipe.toml:2: {words}"]


def test_a_key_that_must_be_there():
    assert faults("") == ["imgpipe.toml: name: is missing; expected text"]


def test_without_any_file_the_configuration_is_what_is_wrong():
    with pytest.raises(ConfigError, match=r"^configuration: name: is missing; expected text$"):
        load(Pipeline, [])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("name = \n", "imgpipe.toml:1:8: is not valid TOML; invalid value"),
        (NAMED + "name = 'b'", "imgpipe.toml:2: is not valid TOML; cannot overwrite a value"),
        (NAMED + "\n[uploads", "imgpipe.toml:3: is not valid TOML; expected ']' at the end of a table declaration"),
        ("a = " + "[" * 5000, "imgpipe.toml: is nested too deeply; expected tables of plain values"),
        ("a." * 30 + "b = 1", "imgpipe.toml: is nested too deeply; expected tables of plain values"),
        ("a = 0x" + "f" * 5000, "imgpipe.toml: a whole number is too large; expected at most 63 bits"),
    ],
)
def test_no_toml_at_all(text: str, fault: str):
    assert faults(text) == [fault]


def test_what_can_be_read_is_checked_although_something_cannot():
    with pytest.raises(ConfigError) as caught:
        load(
            Pipeline,
            [TomlSource("a.toml", "= 1"), TomlSource("b.toml", "storage.log_days = 2")],
            ["processing.batch=x"],
        )
    assert [fault.split(";")[0] for fault in caught.value.errors] == [
        "a.toml:1:1: is not valid TOML",
        "b.toml:1: storage.log_days: 2 is not allowed",
        "--set processing.batch=x: processing.batch: expected a whole number or 'auto', got 'x'",
    ]


def test_values_that_cannot_work_together_are_refused_with_their_keys():
    assert faults(f"{NAMED}[storage]\narchive_after_days = 60\ndelete_after_days = 60") == [
        "imgpipe.toml:4: storage.delete_after_days and storage.archive_after_days: "
        "60 is not after 60; expected at least 61 days"
    ]
    assert faults(f"{NAMED}deletion_policy = 'delete'", "processing.tracing=true") == [
        "--set processing.tracing=true: processing.tracing and deletion_policy: "
        "cannot be traced when deleted; expected one of both"
    ]
    assert faults(f"{NAMED}processing.tracing = true\n[processing.output]\nformat = 'jpeg'") == [
        "imgpipe.toml:2: processing.tracing and processing.output.format: JPEG cannot be traced; expected one of both"
    ]
    assert faults(f"{NAMED}[processing.output]\nbackground = '#ffffff'") == [
        "imgpipe.toml:3: processing.output.background and processing.output.format: "
        "'#ffffff' cannot be; expected format = 'jpeg'"
    ]


def test_conflicts_wait_until_every_value_is_allowed():
    [fault] = faults(f"{NAMED}[storage]\ndelete_after_days = 3\nlog_days = 2")
    assert "log_days" in fault


def test_lines_are_found_through_all_that_toml_has():
    text = '''name = """
[storage]
log_days = 2
"""  # a text that looks like a table
"deletion_policy" = 'no'
uploads = { prefix = 1, extensions = [
  "jpg", # ]
] }

  [ "storage" ]  # a header
archive_after_days = 1

[processing]
memory_mb=1
'''
    expected = [
        (5, "deletion_policy"),
        (6, "uploads.prefix"),
        (11, "storage.archive_after_days"),
        (14, "processing.memory_mb"),
    ]
    for written in (text, text.replace("\n", "\r\n")):
        assert [tuple(fault.split(": ")[:2]) for fault in faults(written)] == [
            (f"imgpipe.toml:{line}", key) for line, key in expected
        ]


def test_good_values_of_every_kind():
    config = read("""
name = "a"
tags = { Team = "x", "With space" = "y" }
[uploads]
extensions = ["gif"]
[processing]
sampling = 1
batch = 3
reserved_concurrency = 5
[network]
""")
    assert (config.tags, config.uploads.extensions) == ({"Team": "x", "With space": "y"}, ("gif",))
    assert (config.processing.sampling, config.processing.batch, config.processing.reserved_concurrency) == (1.0, 3, 5)
    assert config.network is not None
    assert config.storage.log_days == 30
