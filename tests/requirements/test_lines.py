"""Every requirement line has a test or a reason, and every marker names a line."""

from __future__ import annotations

import re

import pytest

from tests.requirements.coverage import Coverage, lines_of_tests


@pytest.fixture(scope="module")
def coverage():
    return Coverage.read()


@pytest.mark.line("004-43")
def test_every_line_has_a_test_or_a_reason(coverage):
    assert coverage.missing() == []


def test_number_of_lines_is_that_of_the_documents(coverage):
    counts = {"000": 46, "001": 40, "002": 32, "003": 46, "004": 44}
    assert list(coverage.lines) == [
        f"{document}-{line:02}" for document, count in counts.items() for line in range(1, count + 1)
    ]


def test_every_marker_names_a_line(coverage):
    assert set(coverage.shown_by) == set(coverage.lines)


def test_every_missing_test_is_of_a_line(coverage):
    assert set(coverage.to_come) <= set(coverage.lines)


def test_every_correction_is_described_and_used(coverage):
    used = {name for text in coverage.lines.values() for name in re.findall(r"\bD\d+\b", text)}
    assert used == set(coverage.corrections)


def test_lines_are_read_from_markers():
    text = """
@pytest.mark.line("000-05", "000-27")
@pytest.mark.slow
def test_both(): ...

class TestGroup:
    @pytest.mark.line("003-39")
    def test_one(self): ...

    def test_none(self): ...
"""
    assert lines_of_tests(text) == {"test_both": ["000-05", "000-27"], "test_one": ["003-39"], "test_none": []}
