"""Checks of all stacks of a layout together: what one template cannot say of another."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from itertools import pairwise
from typing import Any

from imgpipe_templates.checks.model import Fault, Finding, Path, severity_of
from imgpipe_templates.checks.values import canonical, mapping
from imgpipe_templates.records import record

NESTED = "AWS::CloudFormation::Stack"
# What the root of nested stacks calls a child's template until it is uploaded.
_TEMPLATE_FILE = (".template.json", ".template.yaml")

StackFault = tuple[str, Fault]
IN_TWO = "E9574"


@record
class Read:
    """One stack's use of another's output.

    Attributes:
        reader: The stack that uses it.
        path: Where, in the reader or, for nested stacks, in the root that hands it on.
        place: The stack in which `path` is.
        name: Name of the export, or `<child>.<output>`.
        home: The stack that offers it; None if nobody does.
        title: The output's name in its stack; "" if nobody offers it.
    """

    reader: str
    place: str
    path: Path
    name: str
    home: str | None
    title: str


class Assembly:
    """The stacks of a layout and what they use of each other."""

    def __init__(self, stacks: Mapping[str, Mapping[str, Any]], reads_from: Mapping[str, set[str]]) -> None:
        self.stacks = stacks
        self.reads_from = reads_from

    def section(self, stack: str, name: str) -> Mapping[str, Any]:
        """One section of one stack's template."""
        return mapping(self.stacks[stack].get(name))

    @cached_property
    def exports(self) -> dict[str, list[tuple[str, str]]]:
        """Export name -> the stacks that export it and their outputs' names."""
        found: dict[str, list[tuple[str, str]]] = {}
        for stack in self.stacks:
            for title, output in self.section(stack, "Outputs").items():
                name = canonical(mapping(mapping(output).get("Export")).get("Name"))
                if name:
                    found.setdefault(name, []).append((stack, str(title)))
        return found

    @cached_property
    def children(self) -> dict[str, dict[str, str]]:
        """Root -> logical id of each nested stack whose template is here -> name of that template."""
        found: dict[str, dict[str, str]] = {}
        for stack in self.stacks:
            for title, resource in self.section(stack, "Resources").items():
                url = canonical(mapping(mapping(resource).get("Properties")).get("TemplateURL"))
                child = next((url.removesuffix(end) for end in _TEMPLATE_FILE if url.endswith(end)), "")
                if mapping(resource).get("Type") == NESTED and child in self.stacks:
                    found.setdefault(stack, {})[str(title)] = child
        return found

    @cached_property
    def reads(self) -> list[Read]:
        """Everything that one stack uses of another."""
        found: list[Read] = []
        for stack in self.stacks:
            for section in ("Conditions", "Resources", "Outputs"):
                for path, function, argument in _calls((section,), self.section(stack, section)):
                    if function == "Fn::ImportValue":
                        found.append(self._import(stack, path, canonical(argument)))
                    elif function == "Fn::GetAtt" and (read := self._output(stack, path, argument)):
                        found.append(read)
        return found

    def _import(self, stack: str, path: Path, name: str) -> Read:
        home, title = self.exports.get(name, [(None, "")])[0]
        return Read(stack, stack, path, name, home, title)

    def _output(self, root: str, path: Path, argument: Any) -> Read | None:
        """The use of a nested stack's output; the stack that gets it as a parameter is its reader."""
        text = canonical({"Fn::GetAtt": argument}).removeprefix("${").removesuffix("}")
        child_id, _, rest = text.partition(".")
        child = self.children.get(root, {}).get(child_id)
        if child is None or not rest.startswith("Outputs."):
            return None
        title = rest.removeprefix("Outputs.")
        offered = title in self.section(child, "Outputs")
        given_to = self.children[root].get(str(path[1])) if path[0] == "Resources" else None
        return Read(given_to or root, root, path, f"{child}.{title}", child if offered else None, title)


def check_assembly(stacks: Mapping[str, Mapping[str, Any]], reads_from: Mapping[str, set[str]]) -> list[Finding]:
    """All faults between the stacks of one layout.

    Args:
        stacks: Template by stack name.
        reads_from: Stack name to the stacks whose handles it was given, as the assembly recorded them.
    """
    assembly = Assembly(stacks, reads_from)
    return [
        Finding(rule.id, severity_of(rule.id), stack, fault.path, fault.message, rule.source)
        for rule in RULES
        for stack, fault in rule.find(assembly)
    ]


def _calls(path: Path, value: Any) -> Iterator[tuple[Path, str, Any]]:
    """Path, name and argument of every ImportValue and GetAtt in a value."""
    if isinstance(value, Mapping):
        for key, entry in value.items():
            if key in ("Fn::ImportValue", "Fn::GetAtt"):
                yield path, str(key), entry
            else:
                yield from _calls((*path, str(key)), entry)
    elif isinstance(value, list | tuple):
        for position, entry in enumerate(value):
            yield from _calls((*path, position), entry)


def _unoffered(assembly: Assembly) -> Iterator[StackFault]:
    for read in assembly.reads:
        if read.home is None:
            yield (
                read.place,
                Fault(
                    read.path,
                    f"no stack of the layout offers {read.name}; let the stack that has it export it, or mend the name",
                ),
            )
    for root, children in assembly.children.items():
        for child_id, child in children.items():
            yield from ((root, fault) for fault in _parameters(assembly, root, child_id, child))


def _parameters(assembly: Assembly, root: str, child_id: str, child: str) -> Iterator[Fault]:
    path: Path = ("Resources", child_id, "Properties", "Parameters")
    nested = mapping(mapping(assembly.section(root, "Resources")[child_id]).get("Properties"))
    given, declared = mapping(nested.get("Parameters")), assembly.section(child, "Parameters")
    for name in given:
        if name not in declared:
            yield Fault((*path, str(name)), f"{child} has no parameter {name}; leave it out, or declare it there")
    for name, parameter in declared.items():
        if name not in given and "Default" not in mapping(parameter):
            yield Fault(path, f"{child} is not given its parameter {name}, which has no default; pass it")


def _unread(assembly: Assembly) -> Iterator[StackFault]:
    """Faults of outputs that are there for other stacks; those with a description tell an operator."""
    read = {(found.home, found.title) for found in assembly.reads}
    for stack in assembly.stacks:
        for title, output in assembly.section(stack, "Outputs").items():
            if "Description" not in mapping(output) and (stack, title) not in read:
                yield (
                    stack,
                    Fault(
                        ("Outputs", str(title)),
                        "no stack of the layout reads it; leave it out, or describe for whom it is",
                    ),
                )


def _circular(assembly: Assembly) -> Iterator[StackFault]:
    edges: dict[str, dict[str, set[str]]] = {stack: {} for stack in assembly.stacks}
    for read in assembly.reads:
        if read.home is not None and read.home != read.reader:
            edges[read.reader].setdefault(read.home, set()).add(read.title)
    for stack, homes in assembly.reads_from.items():
        for home in homes - {stack}:
            edges.setdefault(stack, {}).setdefault(home, set())
    # A root reads of its children what they offer, and they nothing of it.
    for root, children in assembly.children.items():
        for child in children.values():
            edges[root].pop(child, None)
    if circle := _circle({stack: sorted(homes) for stack, homes in edges.items()}):
        steps = [_step(reader, home, edges[reader][home]) for reader, home in pairwise(circle)]
        yield (
            circle[0],
            Fault(
                (),
                f"the stacks wait for each other: {', '.join(steps)}; put two of them into one stack, or name what the "
                "other has by a known name",
            ),
        )


def _step(reader: str, home: str, titles: set[str]) -> str:
    what = f" ({', '.join(sorted(titles))})" if titles else ""
    return f"{reader} reads from {home}{what}"


def _circle(edges: Mapping[str, Iterable[str]]) -> list[str]:
    """A path that ends where it begins, or an empty list."""
    done: set[str] = set()

    def follow(stack: str, path: list[str]) -> list[str]:
        if stack in path:
            return [*path[path.index(stack) :], stack]
        if stack in done:
            return []
        for home in edges.get(stack, ()):
            if found := follow(home, [*path, stack]):
                return found
        done.add(stack)
        return []

    return next((found for stack in edges if (found := follow(stack, []))), [])


def _in_two(assembly: Assembly) -> Iterator[StackFault]:
    homes: dict[str, str] = {}
    for stack in assembly.stacks:
        for title in assembly.section(stack, "Resources"):
            first = homes.setdefault(str(title), stack)
            if first != stack:
                yield (
                    stack,
                    Fault(
                        ("Resources", str(title)),
                        f"is a resource of {first}, too; a logical id is one resource in every layout, so rename one",
                    ),
                )
    yield from exported_twice(assembly)


def exported_twice(assembly: Assembly) -> Iterator[StackFault]:
    """Faults of export names that two stacks have, which is wrong whoever wrote them."""
    for name, offers in assembly.exports.items():
        for stack, title in offers[1:]:
            if "${AWS::StackName}" not in name:
                yield (
                    stack,
                    Fault(
                        ("Outputs", title, "Export"),
                        f"{offers[0][0]} exports {name}, too, and a name can be exported once; rename one",
                    ),
                )


@record
class AssemblyRule:
    """One check of all stacks together.

    Attributes:
        id: `E957n`.
        short: The meaning in a line.
        description: Why it matters.
        source: Address of the AWS page that says so.
        find: Yields stack and fault.
    """

    id: str
    short: str
    description: str
    source: str
    find: Callable[[Assembly], Iterable[StackFault]]


RULES = (
    AssemblyRule(
        "E9571",
        "Value that no stack of the layout offers",
        "An import without an export, or a child's output that is not there, stops the deployment half-way.",
        # AWS CloudFormation User Guide, "Fn::ImportValue", read 2026-11
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-importvalue.html",
        _unoffered,
    ),
    AssemblyRule(
        "E9572",
        "Offer that nobody reads",
        "An export ties its stack to readers that are not there, and hides which values really cross.",
        # AWS CloudFormation User Guide, "Get exported outputs from a deployed CloudFormation stack", read 2026-11
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html",
        _unread,
    ),
    AssemblyRule(
        "E9573",
        "Stacks that wait for each other",
        "Each of the stacks needs a value of the next: none of them can be the first.",
        # AWS CloudFormation User Guide, "Fn::ImportValue", read 2026-11
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-importvalue.html",
        _circular,
    ),
    AssemblyRule(
        IN_TWO,
        "One name in two stacks",
        "A logical id means one resource whatever the layout, and an export name is unique in account and Region.",
        # AWS CloudFormation User Guide, "Outputs section", read 2026-11
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html",
        _in_two,
    ),
)
