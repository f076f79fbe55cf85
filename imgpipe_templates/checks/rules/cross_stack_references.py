"""Rules across the stacks of one layout."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from imgpipe_templates.checks.facts.expressions import mapping
from imgpipe_templates.checks.facts.stack_references import StackSet
from imgpipe_templates.checks.findings import Path, Violation
from imgpipe_templates.checks.rule import stack_rule

StackViolation = tuple[str, Violation]


@stack_rule(
    "E9571",
    "Missing cross-stack output",
    "An import without an export, or a missing output of a nested stack, stops the deployment half-way.",
    # AWS CloudFormation User Guide, "Fn::ImportValue", read 2026-11
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-importvalue.html",
)
def missing_stack_output(stacks: StackSet) -> Iterator[StackViolation]:
    for read in stacks.reads:
        if read.provider is None:
            yield (
                read.stack,
                Violation(
                    read.path,
                    f"no stack of the layout has the output {read.name}; export it, or correct the name",
                ),
            )
    for root, children in stacks.children.items():
        for child_id, child in children.items():
            yield from ((root, violation) for violation in _parameter_violations(stacks, root, child_id, child))


def _parameter_violations(stacks: StackSet, root: str, child_id: str, child: str) -> Iterator[Violation]:
    path: Path = ("Resources", child_id, "Properties", "Parameters")
    nested = mapping(mapping(stacks.section(root, "Resources")[child_id]).get("Properties"))
    passed, declared = mapping(nested.get("Parameters")), stacks.section(child, "Parameters")
    for name in passed:
        if name not in declared:
            yield Violation((*path, str(name)), f"{child} has no parameter {name}; remove it, or declare it there")
    for name, parameter in declared.items():
        if name not in passed and "Default" not in mapping(parameter):
            yield Violation(path, f"{child} receives no value for its parameter {name}, which has no default; pass it")


@stack_rule(
    "E9572",
    "Unused cross-stack output",
    "An unused export suggests a dependency between stacks that does not exist.",
    # AWS CloudFormation User Guide, "Get exported outputs from a deployed CloudFormation stack", read 2026-11
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html",
)
def unused_stack_output(stacks: StackSet) -> Iterator[StackViolation]:
    # An output with a description is for an operator and needs no reader.
    read = {(found.provider, found.output) for found in stacks.reads}
    for stack in stacks.templates:
        for title, output in stacks.section(stack, "Outputs").items():
            if "Description" not in mapping(output) and (stack, title) not in read:
                yield (
                    stack,
                    Violation(
                        ("Outputs", str(title)),
                        "no stack of the layout reads the output; remove it, or add a Description for its reader",
                    ),
                )


@stack_rule(
    "E9573",
    "Circular dependency between stacks",
    "Each of the stacks needs a value of the next, so none of them can be created first.",
    # AWS CloudFormation User Guide, "Fn::ImportValue", read 2026-11
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-importvalue.html",
)
def circular_stack_dependency(stacks: StackSet) -> Iterator[StackViolation]:
    edges: dict[str, dict[str, set[str]]] = {stack: {} for stack in stacks.templates}
    for read in stacks.reads:
        if read.provider is not None and read.provider != read.reader:
            edges[read.reader].setdefault(read.provider, set()).add(read.output)
    for stack, providers in stacks.reads_from.items():
        for provider in providers - {stack}:
            edges.setdefault(stack, {}).setdefault(provider, set())
    # A root reads the outputs of its nested stacks, and they read none of the root.
    for root, children in stacks.children.items():
        for child in children.values():
            edges[root].pop(child, None)
    if cycle := _cycle_in({stack: sorted(providers) for stack, providers in edges.items()}):
        steps = [_step(reader, provider, edges[reader][provider]) for reader, provider in pairwise(cycle)]
        yield (
            cycle[0],
            Violation(
                (),
                f"the stacks depend on each other: {', '.join(steps)}; merge two of them, or use a known name instead "
                "of an import",
            ),
        )


def _step(reader: str, provider: str, outputs: set[str]) -> str:
    names = f" ({', '.join(sorted(outputs))})" if outputs else ""
    return f"{reader} reads from {provider}{names}"


def _cycle_in(edges: Mapping[str, Iterable[str]]) -> list[str]:
    """Return a path whose last stack is its first, or an empty list."""
    done: set[str] = set()

    def follow(stack: str, path: list[str]) -> list[str]:
        if stack in path:
            return [*path[path.index(stack) :], stack]
        if stack in done:
            return []
        for provider in edges.get(stack, ()):
            if found := follow(provider, [*path, stack]):
                return found
        done.add(stack)
        return []

    return next((found for stack in edges if (found := follow(stack, []))), [])


@stack_rule(
    "E9574",
    "Logical id or export name in two stacks",
    "A logical id means one resource in every layout, and an export name is unique in account and Region.",
    # AWS CloudFormation User Guide, "Outputs section", read 2026-11
    "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html",
)
def duplicate_stack_name(stacks: StackSet) -> Iterator[StackViolation]:
    owners: dict[str, str] = {}
    for stack in stacks.templates:
        for title in stacks.section(stack, "Resources"):
            first = owners.setdefault(str(title), stack)
            if first != stack:
                yield (
                    stack,
                    Violation(
                        ("Resources", str(title)),
                        f"{first} has a resource with the same logical id; rename one of them",
                    ),
                )
    yield from duplicate_exports(stacks)


def duplicate_exports(stacks: StackSet) -> Iterator[StackViolation]:
    """Report export names of two stacks, in layouts of this project and in other templates."""
    for name, outputs in stacks.exports.items():
        for stack, title in outputs[1:]:
            if "${AWS::StackName}" not in name:
                yield (
                    stack,
                    Violation(
                        ("Outputs", title, "Export"),
                        f"{outputs[0][0]} also exports {name}, and an export name is unique; rename one",
                    ),
                )
