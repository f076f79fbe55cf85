"""No line of the requirements is forgotten, and nothing claims to show what it does not."""

from __future__ import annotations

import re

import pytest

from tests.requirements.coverage import Coverage, ids_of


@pytest.fixture(scope="module")
def coverage():
    return Coverage.read()


def test_every_line_is_shown_by_a_test_or_says_why_not(coverage):
    assert coverage.missing() == []


def test_there_are_as_many_lines_as_were_asked(coverage):
    counts = {"000": 46, "001": 40, "002": 32, "003": 46, "004": 44}
    assert list(coverage.lines) == [
        f"{document}-{line:02}" for document, count in counts.items() for line in range(1, count + 1)
    ]


def test_no_test_is_named_after_a_line_that_there_is_not(coverage):
    assert set(coverage.shown_by) == set(coverage.lines)


def test_every_test_that_is_named_elsewhere_exists(coverage):
    exist = {f"{path}::{name}" for path, names in coverage.tests.items() for name in names}
    named = {test for tests in coverage.elsewhere.values() for test in tests}
    assert named - exist == set()


def test_what_is_to_come_is_a_line(coverage):
    assert set(coverage.to_come) <= set(coverage.lines)


def test_every_correction_is_told_and_used(coverage):
    used = {name for text in coverage.lines.values() for name in re.findall(r"\bD\d+\b", text)}
    assert used == set(coverage.corrections)


@pytest.mark.parametrize(
    ("test", "lines"),
    [
        ("test_000_05_only_this", ["000-05"]),
        ("test_000_05_000_27_both", ["000-05", "000-27"]),
        ("test_003_39_to_41_three", ["003-39", "003-40", "003-41"]),
        ("test_000_03_003_09_to_10_both", ["000-03", "003-09", "003-10"]),
        ("test_3_of_5_are_none", []),
        ("test_nothing", []),
    ],
)
def test_names_of_tests_say_their_lines(test, lines):
    assert ids_of(test) == lines
