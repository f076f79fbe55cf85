"""References from one subsystem to another: only a handle may write them.

A literal `Ref("ThumbnailBucket")` in another subsystem works in the layout with one stack and fails in every layout
where the bucket is in another stack. So it is rejected in all layouts. Handles mark the text that they write; every
other `Ref`, `Fn::GetAtt` and `Fn::Sub` must name a resource of the same subsystem.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Self

from troposphere import GetAtt, Ref, Sub

from imgpipe_templates.errors import LiteralReferenceError

if TYPE_CHECKING:
    from imgpipe_templates.core.naming import Value
    from imgpipe_templates.core.stack import Stack

_VARIABLE = re.compile(r"\$\{([^!}][^}]*)\}")


class HandleText(str):
    """A logical id or an `Fn::Sub` text that a handle wrote. troposphere's `to_dict` keeps the class of a text.

    Attributes:
        titles: The logical ids that handles wrote into the text.
    """

    titles: frozenset[str]

    def __new__(cls, text: str, titles: frozenset[str] | None = None) -> Self:
        """Mark `text`.

        Args:
            text: A logical id or an `Fn::Sub` text.
            titles: The logical ids that handles wrote into it; None means all.
        """
        made = super().__new__(cls, text)
        made.titles = frozenset([text, *_titles(text)]) if titles is None else titles
        return made


def titles_from_handles(text: str) -> frozenset[str]:
    """Return the logical ids that handles wrote into a text."""
    return text.titles if isinstance(text, HandleText) else frozenset()


def as_handle_value(value: Value) -> Value:
    """Return `value` with its logical id or text marked as written by a handle."""
    if isinstance(value, Ref):
        return Ref(HandleText(value.data["Ref"]))
    if isinstance(value, GetAtt):
        title, attribute = value.data["Fn::GetAtt"]
        return GetAtt(HandleText(title), attribute)
    if isinstance(value, Sub) and isinstance(text := value.data["Fn::Sub"], str):
        return Sub(HandleText(text))
    return value


def check_references(stacks: Mapping[str, Stack]) -> None:
    """Check that no subsystem refers to a resource of another subsystem without a handle.

    Raises:
        LiteralReferenceError: A subsystem does; the message lists every such reference.
    """
    owners = {title: (subsystem, stack) for stack in stacks.values() for title, subsystem in stack.owners.items()}
    errors: list[str] = []
    for stack in stacks.values():
        template = stack.template.to_dict()
        declared = [(template["Resources"], stack.owners), (template.get("Outputs", {}), stack.output_owners)]
        for section, subsystems in declared:
            for title, subsystem in subsystems.items():
                for function, target in _literal_references(section[title]):
                    owner, home = owners.get(target, (subsystem, stack))
                    if owner != subsystem:
                        kind = home.handle_kinds.get(target)
                        expected = f"its {kind} handle" if kind else "a handle; add one to the result"
                        errors.append(
                            f"{subsystem}: {title}: {function} names {target}, a resource of the subsystem {owner}; "
                            f"expected {expected} of {owner}"
                        )
    if errors:
        raise LiteralReferenceError("\n".join(dict.fromkeys(errors)))


def _literal_references(value: Any) -> Iterator[tuple[str, str]]:
    """Yield function and logical id of each reference that no handle wrote."""
    if isinstance(value, list):
        for item in value:
            yield from _literal_references(item)
    if isinstance(value, dict):
        for name, argument in value.items():
            yield from ((name, title) for title in _literal_titles(name, argument))
            yield from _literal_references(argument)


def _literal_titles(function: str, argument: Any) -> list[str]:
    variables: Mapping[str, Any] = {}
    match function, argument:
        case "Ref", str(text):
            titles = [text]
        case "Fn::GetAtt", [str(text), *_] | str(text):
            titles = text.split(".")[:1]
        case "Fn::Sub", str(text):
            titles = _titles(text)
        case "Fn::Sub", [str(text), dict(variables)]:
            titles = _titles(text)
        case _:
            return []
    return [title for title in titles if title not in variables and title not in titles_from_handles(text)]


def _titles(text: str) -> list[str]:
    """Return the names and logical ids that an `Fn::Sub` replaces in a text."""
    return [name.split(".")[0] for name in _VARIABLE.findall(text)]
