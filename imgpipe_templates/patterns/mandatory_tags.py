"""Tags: the four that everything carries, and what AWS accepts as a tag."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

# Tag -> the value it must have; None leaves the value to the pipeline. The checks demand them, too.
MANDATORY_TAGS = {"Environment": None, "Project": None, "Purpose": None, "iac-rlhf-amazon": "true"}

# "Tag naming limits and requirements", Tagging AWS Resources User Guide, read 2026-12: what every service accepts.
MAX_KEY_CHARACTERS = 128
MAX_VALUE_CHARACTERS = 256
MAX_TAGS = 50
RESERVED_PREFIX = "aws:"
_NOT_ACCEPTED = re.compile(r"[^\w .:/=+@-]")
_CHARACTERS = "letters, digits, spaces and _ . : / = + - @"


def text_fault(text: str, longest: int) -> str:
    """Return why AWS does not accept `text` in a tag; empty if it does.

    Args:
        text: A key or a value.
        longest: Its limit, in characters.
    """
    if len(text) > longest:
        return f"has {len(text)} characters; expected at most {longest}"
    if found := _NOT_ACCEPTED.search(text):
        return f"has the character {found[0]!r}; expected {_CHARACTERS}"
    return ""


def tag_faults(tags: Mapping[str, str], taken: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield every tag that AWS does not accept together with the others, and why.

    IAM compares keys of tags without their case, and a role with two such keys is not created ("Rules for tagging in
    IAM and AWS STS", IAM User Guide, read 2026-12).

    Args:
        tags: The tags of a configuration.
        taken: Keys of tags that the pipeline sets itself.
    """
    seen = {key.lower(): "is set by the pipeline itself" for key in taken}
    for key, value in tags.items():
        if key.lower() in seen:
            yield key, f"{seen[key.lower()]}; expected a key that differs in more than its case"
        elif key.lower().startswith(RESERVED_PREFIX) or not key:
            yield key, f"{key!r} is reserved by AWS; expected a key that is not empty and does not begin with aws:"
        elif fault := text_fault(key, MAX_KEY_CHARACTERS):
            yield key, f"the key {fault}"
        elif fault := text_fault(value, MAX_VALUE_CHARACTERS):
            yield key, f"the value {fault}"
        seen[key.lower()] = f"IAM treats {key!r} as the same key"
