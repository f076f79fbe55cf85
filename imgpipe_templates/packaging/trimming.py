"""What a function's package leaves out of its wheels, as the function's trim.toml declares it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from packaging.utils import NormalizedName, canonicalize_name

from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging.botocore_data import BotocoreCut
from imgpipe_templates.packaging.unpacking import wheel_entries

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from imgpipe_templates.packaging.archive import Entry
    from imgpipe_templates.packaging.wheels import Wheel

_BOTOCORE = canonicalize_name("botocore")


@dataclass(frozen=True)
class Trim:
    """What is cut off which wheel.

    Attributes:
        label: The file's name in messages.
        tables: By distribution. `replaced`: another text for files, by their names. Of botocore alone, `operations`:
            what is kept of the services' descriptions, by service; `answers`: what is kept of the answers to them;
            `roots`: what cacert-amazon.pem is made of.
    """

    label: str
    tables: Mapping[NormalizedName, Mapping[str, Any]] = field(default_factory=dict[NormalizedName, Any])

    @property
    def operations(self) -> Mapping[str, list[str]]:
        """The operations of AWS's services that are kept, by service."""
        kept: Mapping[str, list[str]] = self.tables.get(_BOTOCORE, {}).get("operations", {})
        return kept

    def entries(self, wheel: Wheel) -> list[Entry]:
        """The files of a wheel that are shipped.

        Raises:
            PackagingError: The wheel is not sound, or has not what the file names.
        """
        table = self.tables.get(wheel.name, {})
        where = f"{self.label}: {wheel.name}"
        botocore = None
        if wheel.name == _BOTOCORE:
            answers = table.get("answers", {})
            for service in sorted(answers.keys() - self.operations.keys()):
                raise PackagingError(f"{where}.answers: {service}: is not kept; expected services of its operations")
            botocore = BotocoreCut(self.operations, answers, table.get("roots", []), where)
        replaced = {name: text.encode() for name, text in table.get("replaced", {}).items()}

        def cut(name: str, content: bytes) -> Mapping[str, bytes]:
            if name in replaced:
                return {name: replaced.pop(name)}
            return botocore(name, content) if botocore else {name: content}

        entries = wheel_entries(wheel, cut)
        for name in replaced:
            raise PackagingError(f"{where}.replaced: {name}: is not in {wheel}; expected a file of it")
        return entries


def read_trim(path: Path, label: str) -> Trim:
    """What a trim.toml says; nothing where there is no such file.

    Args:
        path: The file.
        label: Its name in messages.

    Raises:
        PackagingError: It is no TOML, or says what nobody understands.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Trim(label)
    except (OSError, ValueError) as fault:
        raise PackagingError(f"{label}: text: cannot be read ({fault}); expected TOML") from fault
    for name, table in tables.items():
        for key, value in table.items() if isinstance(table, dict) else [("", table)]:
            if not _is_understood(key, value):
                expected = "answers, operations, replaced or roots, as docs/packaging.md has them"
                raise PackagingError(f"{label}: {name}.{key}: is not understood; expected {expected}")
    return Trim(label, {canonicalize_name(name): table for name, table in tables.items()})


def _is_understood(key: str, value: Any) -> bool:
    match key, value:
        case "roots", list():
            return _are_texts(value)
        case "replaced", dict():
            return _are_texts([*value.values()])
        case "operations", dict():
            return all(_are_texts(names) for names in value.values())
        case "answers", dict():
            return all(isinstance(one, dict) and all(map(_are_texts, one.values())) for one in value.values())
    return False


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(one, str) for one in values)
