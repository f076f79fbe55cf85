"""The function's trim.toml: which files of its wheels are reduced or replaced in the package."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from packaging.utils import NormalizedName, canonicalize_name

from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging.trimmed_client.botocore_data import BotocoreReducer
from imgpipe_templates.packaging.wheel_files import wheel_entries

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from imgpipe_templates.packaging.wheels import Wheel
    from imgpipe_templates.packaging.zip_archive import Entry

_BOTOCORE = canonicalize_name("botocore")


@dataclass(frozen=True)
class Trim:
    """The contents of a trim.toml.

    Attributes:
        label: The file's name in messages.
        tables: Settings by distribution. `replaced`: new text of files, by name. For botocore only: `operations`, the
            operations to keep, by service; `responses`, the response members to keep, by operation; `roots`, the
            certificate authorities in cacert-amazon.pem.
    """

    label: str
    tables: Mapping[NormalizedName, Mapping[str, Any]] = field(default_factory=dict[NormalizedName, Any])

    @property
    def operations(self) -> Mapping[str, list[str]]:
        """The AWS operations to keep, by service."""
        kept: Mapping[str, list[str]] = self.tables.get(_BOTOCORE, {}).get("operations", {})
        return kept

    def entries(self, wheel: Wheel) -> list[Entry]:
        """Return the files of a wheel that go into the package.

        Raises:
            PackagingError: The wheel is damaged, or lacks a file that trim.toml names.
        """
        table = self.tables.get(wheel.name, {})
        where = f"{self.label}: {wheel.name}"
        botocore = None
        if wheel.name == _BOTOCORE:
            responses = table.get("responses", {})
            for service in sorted(responses.keys() - self.operations.keys()):
                raise PackagingError(
                    f"{where}.responses: {service}: not among the kept services; "
                    "expected services of [botocore.operations]"
                )
            botocore = BotocoreReducer(self.operations, responses, table.get("roots", []), where)
        replaced = {name: text.encode() for name, text in table.get("replaced", {}).items()}

        def transform(name: str, content: bytes) -> Mapping[str, bytes]:
            if name in replaced:
                return {name: replaced.pop(name)}
            return botocore(name, content) if botocore else {name: content}

        entries = wheel_entries(wheel, transform)
        for name in replaced:
            raise PackagingError(f"{where}.replaced: {name}: not found in {wheel}; expected a file of this wheel")
        return entries


def read_trim(path: Path, label: str) -> Trim:
    """Read a trim.toml. A missing file means that nothing is reduced.

    Args:
        path: The file.
        label: Its name in messages.

    Raises:
        PackagingError: The file is not valid TOML, or a key or value is unknown.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Trim(label)
    except (OSError, ValueError) as fault:
        raise PackagingError(f"{label}: text: cannot be read ({fault}); expected TOML") from fault
    for name, table in tables.items():
        for key, value in table.items() if isinstance(table, dict) else [("", table)]:
            if not _is_valid(key, value):
                expected = "responses, operations, replaced or roots, as described in docs/packaging.md"
                raise PackagingError(f"{label}: {name}.{key}: unknown key or value; expected {expected}")
    return Trim(label, {canonicalize_name(name): table for name, table in tables.items()})


def _is_valid(key: str, value: Any) -> bool:
    match key, value:
        case "roots", list():
            return _are_strings(value)
        case "replaced", dict():
            return _are_strings([*value.values()])
        case "operations", dict():
            return all(_are_strings(names) for names in value.values())
        case "responses", dict():
            return all(isinstance(one, dict) and all(map(_are_strings, one.values())) for one in value.values())
    return False


def _are_strings(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(one, str) for one in values)
