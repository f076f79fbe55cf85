"""References between the stacks of one layout: exports, imports, and outputs of nested stacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from imgpipe_templates.checks.facts.expressions import canonical, mapping, reference_name
from imgpipe_templates.checks.findings import Path

NESTED = "AWS::CloudFormation::Stack"
# End of the TemplateURL of a nested stack before its template is uploaded.
_TEMPLATE_FILE = (".template.json", ".template.yaml")


@dataclass(frozen=True)
class Read:
    """One use of a stack's output in another stack.

    Attributes:
        reader: The stack that uses the output.
        stack: The stack that contains `path`: the reader, or the root of nested stacks that passes the value.
        path: Path of the use.
        name: Name of the export, or `<child>.<output>`.
        provider: The stack with the output; None if it does not exist.
        output: Name of the output in its stack; "" if it does not exist.
    """

    reader: str
    stack: str
    path: Path
    name: str
    provider: str | None
    output: str


class StackSet:
    """The stacks of a layout with the references between them.

    Args:
        templates: Template by stack name.
        reads_from: Stack name -> stacks whose handles it received, recorded by the assembly of the pipeline.
    """

    def __init__(self, templates: Mapping[str, Mapping[str, Any]], reads_from: Mapping[str, set[str]]) -> None:
        self.templates = templates
        self.reads_from = reads_from

    def section(self, stack: str, name: str) -> Mapping[str, Any]:
        """Return a section of a stack's template."""
        return mapping(self.templates[stack].get(name))

    @cached_property
    def exports(self) -> dict[str, list[tuple[str, str]]]:
        """Export name -> the stacks that export it and the names of their outputs."""
        found: dict[str, list[tuple[str, str]]] = {}
        for stack in self.templates:
            for title, output in self.section(stack, "Outputs").items():
                name = canonical(mapping(mapping(output).get("Export")).get("Name"))
                if name:
                    found.setdefault(name, []).append((stack, str(title)))
        return found

    @cached_property
    def children(self) -> dict[str, dict[str, str]]:
        """Root -> logical id of each nested stack whose template is known -> name of that template."""
        found: dict[str, dict[str, str]] = {}
        for stack in self.templates:
            for title, resource in self.section(stack, "Resources").items():
                url = canonical(mapping(mapping(resource).get("Properties")).get("TemplateURL"))
                child = next((url.removesuffix(end) for end in _TEMPLATE_FILE if url.endswith(end)), "")
                if mapping(resource).get("Type") == NESTED and child in self.templates:
                    found.setdefault(stack, {})[str(title)] = child
        return found

    @cached_property
    def reads(self) -> list[Read]:
        """All uses of one stack's outputs in another."""
        found: list[Read] = []
        for stack in self.templates:
            for section in ("Conditions", "Resources", "Outputs"):
                for path, function, argument in _calls((section,), self.section(stack, section)):
                    if function == "Fn::ImportValue":
                        found.append(self._import(stack, path, canonical(argument)))
                    elif function == "Fn::GetAtt" and (read := self._output(stack, path, argument)):
                        found.append(read)
        return found

    def _import(self, stack: str, path: Path, name: str) -> Read:
        provider, output = self.exports.get(name, [(None, "")])[0]
        return Read(stack, stack, path, name, provider, output)

    def _output(self, root: str, path: Path, argument: Any) -> Read | None:
        """Return the use of a nested stack's output; its reader is the stack that receives it as a parameter."""
        text = reference_name({"Fn::GetAtt": argument})
        child_id, _, rest = text.partition(".")
        child = self.children.get(root, {}).get(child_id)
        if child is None or not rest.startswith("Outputs."):
            return None
        output = rest.removeprefix("Outputs.")
        exists = output in self.section(child, "Outputs")
        receiver = self.children[root].get(str(path[1])) if path[0] == "Resources" else None
        return Read(receiver or root, root, path, f"{child}.{output}", child if exists else None, output)


def _calls(path: Path, value: Any) -> Iterator[tuple[Path, str, Any]]:
    """Yield path, name and argument of every ImportValue and GetAtt in a value."""
    if isinstance(value, Mapping):
        for key, entry in value.items():
            if key in ("Fn::ImportValue", "Fn::GetAtt"):
                yield path, str(key), entry
            else:
                yield from _calls((*path, str(key)), entry)
    elif isinstance(value, list | tuple):
        for position, entry in enumerate(value):
            yield from _calls((*path, position), entry)
