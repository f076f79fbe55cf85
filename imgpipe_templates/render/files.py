"""Files of rendered pipelines: planned as bytes, compared with the files on disk, and replaced all together."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from imgpipe_templates.errors import RenderError
from imgpipe_templates.render.manifest import RenderedPipeline, manifest, parameter_values
from imgpipe_templates.render.order import Template, ordered
from imgpipe_templates.render.text import emit_json
from imgpipe_templates.render.yaml_text import emit_yaml

MANIFEST = "manifest.json"
NESTED_STACK = "AWS::CloudFormation::Stack"
_TEMPLATE_NAME = re.compile(r"([\w-]+)\.template\.(?:json|yaml)")

Format = Literal["json", "yaml"]
Plan = dict[Path, bytes]


@dataclass(frozen=True)
class Staleness:
    """A file that differs from the planned one."""

    path: Path
    reason: Literal["missing", "different", "obsolete"]


def plan_files(rendered: RenderedPipeline, formats: Sequence[Format], *, compact: bool = False) -> Plan:
    """Return the files of one pipeline by path in the output folder, the manifest last.

    Args:
        rendered: The pipeline.
        formats: The formats of its templates.
        compact: True to write JSON templates without indentation.

    Raises:
        RenderError: A template contains a value that JSON or UTF-8 cannot represent.
    """
    folder = Path(rendered.pipeline, rendered.layout)
    rendered = replace(rendered, stacks={name: ordered(rendered.stacks[name]) for name in rendered.order})
    files = {name: dict(_files(name, template, formats, compact=compact)) for name, template in rendered.stacks.items()}
    plan = {folder / name: text for stack in files.values() for name, text in stack.items()}
    for name in rendered.deploy_order:
        plan[folder / _parameter_file(name)] = parameter_values(rendered.stacks[name])
    plan[folder / MANIFEST] = manifest(rendered, files)
    return plan


def _parameter_file(stack: str) -> str:
    return f"{stack}.parameters.json"


def _files(stack: str, template: Template, formats: Sequence[Format], *, compact: bool) -> Iterator[tuple[str, bytes]]:
    for suffix in formats:
        name = f"{stack}.template.{suffix}"
        template = _with_nested_format(template, suffix)
        try:
            yield name, _text(template, suffix, compact=compact).encode()
        except UnicodeEncodeError as error:
            character = error.object[error.start : error.end]
            raise RenderError(
                f"{name}: {character!r} is half a character; expected text that UTF-8 can encode"
            ) from error


def _text(template: Template, suffix: Format, *, compact: bool) -> str:
    return emit_json(template, compact=compact) if suffix == "json" else emit_yaml(template)


def _with_nested_format(template: Template, suffix: Format) -> Template:
    """Return the template with the file names of nested stacks in the same format."""
    resources = dict(template.get("Resources", {}))
    for title, resource in resources.items():
        if resource["Type"] == NESTED_STACK:
            name = resource["Properties"]["TemplateURL"].rpartition(".")[0]
            properties = {**resource["Properties"], "TemplateURL": f"{name}.{suffix}"}
            resources[title] = {**resource, "Properties": properties}
    return {**template, "Resources": resources} if resources else template


def stale_files(plan: Mapping[Path, bytes], out: Path) -> list[Staleness]:
    """Return the changes that `write_files` would make in `out`, and write nothing.

    Raises:
        RenderError: A path exists and cannot be read as a file.
    """
    found: list[Staleness] = []
    for path, text in plan.items():
        present = _read(out / path)
        if present != text:
            found.append(Staleness(path, "missing" if present is None else "different"))
    return [*found, *(Staleness(path, "obsolete") for path in _obsolete_files(plan, out))]


def write_files(plan: Mapping[Path, bytes], out: Path) -> list[Path]:
    """Write the planned files to `out` and return the paths of the written and removed files.

    All files are written to a temporary folder in `out` first and moved when all are complete. If a move fails, the
    earlier moves are undone. A file that already has the planned content is not changed. Files that the manifest of
    the same pipeline and layout does not list are kept.

    Raises:
        RenderError: A folder cannot be created, or a file cannot be read, written, replaced or removed.
    """
    stale = stale_files(plan, out)
    if not stale:
        return []
    target = out
    try:
        with ExitStack() as made:
            _make_folder(out, made)
            with tempfile.TemporaryDirectory(prefix=".imgpipe-", dir=out) as stage, ExitStack() as moved:
                for number, change in enumerate(stale):
                    if change.reason != "obsolete":
                        target = out / change.path
                        Path(stage, f"{number}.new").write_bytes(plan[change.path])
                for number, change in enumerate(stale):
                    target = out / change.path
                    _replace(Path(stage, str(number)), target, change, moved)
                moved.pop_all()
            made.pop_all()
    except OSError as error:
        raise RenderError(f"{target}: cannot be written; {error.strerror or error}") from error
    return [change.path for change in stale]


def _replace(staged: Path, target: Path, change: Staleness, undo: ExitStack) -> None:
    """Move the old file of `change` to the temporary folder and the new file to its path."""
    if change.reason == "missing":
        _make_folder(target.parent, undo)
    else:
        old = staged.with_suffix(".old")
        target.rename(old)
        undo.callback(old.replace, target)
    if change.reason != "obsolete":
        staged.with_suffix(".new").rename(target)
        undo.callback(target.unlink)


def _make_folder(folder: Path, undo: ExitStack) -> None:
    for missing in reversed([path for path in (folder, *folder.parents) if not path.exists()]):
        missing.mkdir()
        undo.callback(missing.rmdir)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except IsADirectoryError as error:
        raise RenderError(f"{path}: is a folder; expected a file, or no file yet") from error
    except NotADirectoryError as error:
        blocking = next((parent for parent in path.parents if parent.is_file()), path)
        raise RenderError(f"{blocking}: is a file; expected a folder, or no folder yet") from error
    except OSError as error:
        raise RenderError(f"{path}: cannot be read; {error.strerror or error}") from error


def _obsolete_files(plan: Mapping[Path, bytes], out: Path) -> Iterator[Path]:
    """Yield the existing files that an earlier manifest lists and the plan does not."""
    for path in plan:
        if path.name == MANIFEST:
            for name in _listed_files(_read(out / path)):
                if path.with_name(name) not in plan and (out / path).with_name(name).is_file():
                    yield path.with_name(name)


def _listed_files(text: bytes | None) -> list[str]:
    """Return the template and parameter files of a manifest; other files in it are ignored."""
    try:
        stacks = json.loads(text or b"{}")["stacks"].values()
        names = [file["path"] for stack in stacks for file in stack["files"]]
    except (ValueError, LookupError, TypeError, AttributeError):
        return []
    found = [match for name in names if isinstance(name, str) and (match := _TEMPLATE_NAME.fullmatch(name))]
    return list(dict.fromkeys(name for match in found for name in (match[0], _parameter_file(match[1]))))
