"""Files of rendered pipelines: planned as bytes, compared with what is on disk, swapped in all together."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from imgpipe_templates.render.errors import RenderError
from imgpipe_templates.render.manifest import manifest, parameter_values
from imgpipe_templates.render.order import ordered
from imgpipe_templates.render.text import emit_json
from imgpipe_templates.render.yaml_text import emit_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from imgpipe_templates.render.manifest import RenderedPipeline
    from imgpipe_templates.render.order import Template

MANIFEST = "manifest.json"
NESTED_STACK = "AWS::CloudFormation::Stack"
_TEMPLATE_NAME = re.compile(r"([\w-]+)\.template\.(?:json|yaml)")

Format = Literal["json", "yaml"]
Plan = dict[Path, bytes]


@dataclass(frozen=True)
class Staleness:
    """A file that is not as it would be written now."""

    path: Path
    reason: Literal["missing", "different", "left over"]


def plan_files(rendered: RenderedPipeline, formats: Sequence[Format], *, compact: bool = False) -> Plan:
    """The files of one pipeline by path under the output folder, the manifest last.

    Args:
        rendered: The pipeline.
        formats: Of its templates.
        compact: Whether templates in JSON are written without indentation.

    Raises:
        RenderError: a template holds what JSON or UTF-8 cannot.
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
        template = _beside(template, suffix)
        try:
            yield name, _text(template, suffix, compact=compact).encode()
        except UnicodeEncodeError as error:
            character = error.object[error.start : error.end]
            raise RenderError(
                f"{name}: {character!r} is half a character; expected text that UTF-8 can hold"
            ) from error


def _text(template: Template, suffix: Format, *, compact: bool) -> str:
    return emit_json(template, compact=compact) if suffix == "json" else emit_yaml(template)


def _beside(template: Template, suffix: Format) -> Template:
    """The template with its nested stacks' files in the format of its own."""
    resources = dict(template.get("Resources", {}))
    for title, resource in resources.items():
        if resource["Type"] == NESTED_STACK:
            name = resource["Properties"]["TemplateURL"].rpartition(".")[0]
            properties = {**resource["Properties"], "TemplateURL": f"{name}.{suffix}"}
            resources[title] = {**resource, "Properties": properties}
    return {**template, "Resources": resources} if resources else template


def stale_files(plan: Mapping[Path, bytes], out: Path) -> list[Staleness]:
    """What `write_files` would change under `out`; nothing is written.

    Raises:
        RenderError: something is there that cannot be read as a file.
    """
    found: list[Staleness] = []
    for path, text in plan.items():
        present = _read(out / path)
        if present != text:
            found.append(Staleness(path, "missing" if present is None else "different"))
    return [*found, *(Staleness(path, "left over") for path in _left_over(plan, out))]


def write_files(plan: Mapping[Path, bytes], out: Path) -> list[Path]:
    """Bring `out` to what is planned and return the paths under it that were written or removed.

    Everything is written to a temporary folder inside `out` first and moved into place when it is complete; if a move
    fails, those before it are undone. A file that already has its content is not touched, nor is any file that the
    manifest of the same pipeline and layout does not name.

    Raises:
        RenderError: a folder cannot be made, or a file cannot be read, written, replaced or removed.
    """
    stale = stale_files(plan, out)
    if not stale:
        return []
    import tempfile  # noqa: PLC0415 - costs as much as the rest of this module, and most runs change nothing

    place = out
    try:
        with ExitStack() as made:
            _make_folder(out, made)
            with tempfile.TemporaryDirectory(prefix=".imgpipe-", dir=out) as stage, ExitStack() as moved:
                for number, change in enumerate(stale):
                    if change.reason != "left over":
                        place = out / change.path
                        Path(stage, f"{number}.new").write_bytes(plan[change.path])
                for number, change in enumerate(stale):
                    place = out / change.path
                    _swap(Path(stage, str(number)), place, change, moved)
                moved.pop_all()
            made.pop_all()
    except OSError as error:
        raise RenderError(f"{place}: cannot be written; {error.strerror or error}") from error
    return [change.path for change in stale]


def _swap(staged: Path, place: Path, change: Staleness, undo: ExitStack) -> None:
    """Move the old file of `change` away and the new one in."""
    if change.reason == "missing":
        _make_folder(place.parent, undo)
    else:
        old = staged.with_suffix(".old")
        place.rename(old)
        undo.callback(old.replace, place)
    if change.reason != "left over":
        staged.with_suffix(".new").rename(place)
        undo.callback(place.unlink)


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
        raise RenderError(f"{path}: is a folder; expected a file, or nothing yet") from error
    except NotADirectoryError as error:
        blocking = next((parent for parent in path.parents if parent.is_file()), path)
        raise RenderError(f"{blocking}: is a file; expected a folder, or nothing yet") from error
    except OSError as error:
        raise RenderError(f"{path}: cannot be read; {error.strerror or error}") from error


def _left_over(plan: Mapping[Path, bytes], out: Path) -> Iterator[Path]:
    """The files of templates that an earlier manifest names and the plan does not, as far as they are still there."""
    for path in plan:
        if path.name == MANIFEST:
            for name in _named_by(_read(out / path)):
                if path.with_name(name) not in plan and (out / path).with_name(name).is_file():
                    yield path.with_name(name)


def _named_by(text: bytes | None) -> list[str]:
    """The template files of a manifest; none where it is not one of ours, for it may name no other files."""
    try:
        stacks = json.loads(text or b"{}")["stacks"].values()
        names = [file["path"] for stack in stacks for file in stack["files"]]
    except (ValueError, LookupError, TypeError, AttributeError):
        return []
    found = [match for name in names if isinstance(name, str) and (match := _TEMPLATE_NAME.fullmatch(name))]
    return list(dict.fromkeys(name for match in found for name in (match[0], _parameter_file(match[1]))))
