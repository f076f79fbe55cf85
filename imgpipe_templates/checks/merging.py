"""The stacks of one layout as one template, so that the rules judge every layout alike.

What a stack imports, or a root hands on to a nested stack, is replaced by the value that the other stack offers.
Logical ids are unique across the stacks (E9574), so that each resource keeps its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from imgpipe_templates.checks.assembly import NESTED, Assembly
from imgpipe_templates.checks.values import canonical, mapping
from imgpipe_templates.promises import as_whole

_TOKEN = re.compile(r"\$\{([^!}.]+)\}")


def merged(stacks: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return one template with the resources of all stacks, their references to each other resolved."""
    assembly = Assembly(stacks, {})
    parts = _Parts(assembly)
    body: dict[str, Any] = {"Metadata": {}, "Parameters": {}, "Conditions": {}, "Resources": {}, "Outputs": {}}
    for stack in stacks:
        handed = parts.handed.get(stack, {})
        body["Metadata"] |= assembly.section(stack, "Metadata")
        body["Parameters"] |= {
            name: spec for name, spec in assembly.section(stack, "Parameters").items() if name not in handed
        }
        for section in ("Conditions", "Outputs"):
            body[section] |= parts.resolved(assembly.section(stack, section), stack)
        children = assembly.children.get(stack, {})
        for name, resource in assembly.section(stack, "Resources").items():
            if not (name in children and mapping(resource).get("Type") == NESTED):
                body["Resources"][name] = parts.resolved(resource, stack)
    body["Metadata"] = as_whole(body["Metadata"])
    return body


class _Parts:
    """What stacks take from each other.

    Attributes:
        handed: Stack -> its parameters that a root fills with another stack's value -> the root and that value.
    """

    def __init__(self, assembly: Assembly) -> None:
        self.assembly = assembly
        self.handed: dict[str, dict[str, tuple[str, Any]]] = {}
        for root, children in assembly.children.items():
            for title, child in children.items():
                properties = mapping(assembly.section(root, "Resources")[title].get("Properties"))
                for name, value in mapping(properties.get("Parameters")).items():
                    if not _is_handed_on(value, str(name)):
                        self.handed.setdefault(child, {})[str(name)] = (root, value)

    def resolved(self, value: Any, stack: str) -> Any:
        """A value of a stack with what other stacks offer in the place of the references to it."""
        if isinstance(value, list | tuple):
            return [self.resolved(entry, stack) for entry in value]
        if not isinstance(value, Mapping):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            found = self._offered(str(function), argument, stack)
            if found is not None:
                home, offer = found
                return self.resolved(offer, home)
            if function == "Fn::Sub":
                return self._substituted(argument, stack)
        return {key: self.resolved(entry, stack) for key, entry in value.items()}

    def _offered(self, function: str, argument: Any, stack: str) -> tuple[str, Any] | None:
        """The stack that offers what a function means, and the value there."""
        if function == "Ref":
            return self.handed.get(stack, {}).get(str(argument))
        if function == "Fn::ImportValue":
            home, title = self.assembly.exports.get(canonical(argument), [("", "")])[0]
            return self._output(home, title)
        if function == "Fn::GetAtt":
            named = canonical({function: argument}).removeprefix("${").removesuffix("}")
            child, _, attribute = named.partition(".")
            home = self.assembly.children.get(stack, {}).get(child, "")
            return self._output(home, attribute.removeprefix("Outputs."))
        return None

    def _output(self, home: str, title: str) -> tuple[str, Any] | None:
        outputs = self.assembly.section(home, "Outputs") if home in self.assembly.stacks else {}
        return (home, mapping(outputs[title]).get("Value")) if title in outputs else None

    def _substituted(self, argument: Any, stack: str) -> dict[str, Any]:
        """A `Fn::Sub` whose text names parameters that a root fills."""
        text, names = (argument[0], mapping(argument[1])) if isinstance(argument, list) else (argument, {})
        handed = self.handed.get(stack, {})
        taken = {name: {"Ref": name} for name in _TOKEN.findall(str(text)) if name in handed and name not in names}
        if not names and not taken:
            return {"Fn::Sub": argument}
        return {"Fn::Sub": [text, {name: self.resolved(value, stack) for name, value in {**names, **taken}.items()}]}


def _is_handed_on(value: Any, name: str) -> bool:
    """True for a parameter of the root under the same name, as it is or as one text."""
    return value in ({"Ref": name}, {"Fn::Join": [",", {"Ref": name}]})
