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


CONTENT = tomllib.loads(LIST.read_text(encoding="utf-8"))
UNCOVERED = tuple(REPOSITORY / name for name in CONTENT["uncovered"])


@pytest.fixture(scope="module")
def words() -> dict[str, str]:
    return CONTENT["words"]


def texts() -> Iterator[Path]:
    """Every covered file with sentences of this project."""
    files = [path for path in REPOSITORY.iterdir() if path.is_file()]
    files += [path for folder in FOLDERS for path in sorted((REPOSITORY / folder).rglob("*"))]
    for path in files:
        is_own = path in {LIST, Path(__file__)} or "__pycache__" in path.parts
        is_uncovered = any(path.is_relative_to(part) for part in UNCOVERED)
        if path.suffix in SUFFIXES and not is_own and not is_uncovered:
            yield path


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


def test_every_uncovered_part_exists_and_needs_the_entry(words: dict[str, str]):
    for part in UNCOVERED:
        files = [part] if part.is_file() else [path for path in part.rglob("*") if path.suffix in SUFFIXES]
        assert any(unplain(path.read_text(encoding="utf-8"), words) for path in files), part


def test_words_are_found_in_sentences_and_in_names(words: dict[str, str]):
    text = "Each mistake is Told.\nforetold\ndef what_is_told(): ...\n# a key of\n# its own"

    assert unplain(text, words) == [(1, "told"), (3, "told"), (4, "of its own")]
