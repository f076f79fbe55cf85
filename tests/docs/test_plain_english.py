"""Sentences and names use plain technical English: no word of the list is left in code, tests or pages."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.blocks import REPOSITORY

LIST = Path(__file__).with_name("plain_english.toml")
FOLDERS = ("benchmarks", "docs", "imgpipe_templates", "lambda", "tests", "tools")
SUFFIXES = {".js", ".md", ".py", ".toml", ".yaml"}


@pytest.fixture(scope="module")
def words() -> dict[str, str]:
    return tomllib.loads(LIST.read_text(encoding="utf-8"))["words"]


def texts() -> Iterator[Path]:
    """Every file with sentences of this project."""
    yield from (path for path in REPOSITORY.iterdir() if path.suffix in SUFFIXES)
    for folder in FOLDERS:
        yield from (
            path
            for path in sorted((REPOSITORY / folder).rglob("*"))
            if path.suffix in SUFFIXES and "__pycache__" not in path.parts and path != LIST
        )


def unplain(text: str, words: dict[str, str]) -> list[tuple[int, str]]:
    """The words of the list that are in the text, each with its line; a phrase may continue on the next line."""
    phrases = "|".join(r"\s+(?:#+\s+)?".join(map(re.escape, word.split())) for word in words)
    found = re.finditer(rf"(?<![A-Za-z])(?:{phrases})(?![A-Za-z])", text, re.IGNORECASE)
    return [(text.count("\n", 0, match.start()) + 1, re.sub(r"[\s#]+", " ", match[0]).lower()) for match in found]


def test_no_file_uses_a_word_of_the_list(words: dict[str, str]):
    found = [
        f"{path.relative_to(REPOSITORY)}:{number}: {word!r}; write {words[word]}"
        for path in texts()
        for number, word in unplain(path.read_text(encoding="utf-8"), words)
    ]
    assert found == []


def test_list_has_no_exceptions():
    assert tomllib.loads(LIST.read_text(encoding="utf-8"))["exceptions"] == {}


def test_words_are_found_in_sentences_and_in_names(words: dict[str, str]):
    text = "Each mistake is Told.\nforetold\ndef what_is_told(): ...\n# a key of\n# its own"

    assert unplain(text, words) == [(1, "told"), (3, "told"), (4, "of its own")]
