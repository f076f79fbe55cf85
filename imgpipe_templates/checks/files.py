"""Validation of template files, whoever wrote them."""

from __future__ import annotations

import os
import pathlib
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

# cfn-lint has annotations but no py.typed.
from cfnlint import formatters
from cfnlint.config import ConfigMixIn
from cfnlint.decode import decode, decode_str
from cfnlint.rules import Rules
from cfnlint.runner.template.runner import _run_template

from imgpipe_templates.checks import between
from imgpipe_templates.checks.cfnlint_rules import held_to, rule_class
from imgpipe_templates.checks.formats import Checked, junit_report, sarif_report, text_report
from imgpipe_templates.checks.linter import REGION, project_rules
from imgpipe_templates.checks.model import Profile
from imgpipe_templates.checks.profiles import profile_of
from imgpipe_templates.checks.rules import RULES
from imgpipe_templates.checks.template import Template

Format = Literal["text", "json", "sarif", "junit", "pretty"]

STDIN = "-"
_EXPECTED = "expected a CloudFormation template in JSON or YAML"


@dataclass(frozen=True)
class Validation:
    """What was found in some files.

    Attributes:
        findings: How many errors and warnings there are.
        report: All of them in the format that was asked for; may be empty when there are none.
        unreadable: One line for each file that cannot be read or is no template; the others were checked.
    """

    findings: int
    report: str
    unreadable: tuple[str, ...] = ()


def validate_files(
    files: Sequence[str],
    report_format: Format,
    *,
    profile: Profile | None = None,
    tags: Mapping[str, str | None] = MappingProxyType({}),
    announce: Callable[[str], None] = lambda _: None,
) -> Validation:
    """The findings of cfn-lint and of the project's rules in template files.

    Runtimes are judged by today's date. Settings files of cfn-lint are not read; Metadata of the templates is.

    Args:
        files: The files, as the report names them; `-` is standard input.
        report_format: One of the formats.
        profile: What to ask in addition to what AWS asks; None asks this project's templates for its conventions and
            all others for nothing.
        tags: Tags to require in addition to the profile's, as key and value; None is any value.
        announce: Called with the name of each file before it is checked.
    """
    templates, unreadable = _read(files)
    dated = {rule.id: rule_class(rule)() for rule in RULES if rule.dated}
    rules = Rules({**project_rules(), **dated, **between.named_rules()})
    together = between.layouts(templates)
    across = list(between.matches(templates, rules))
    checked: list[Checked] = []
    for file, template in sorted(templates.items()):
        announce(file)
        began = time.monotonic()
        found = [
            match
            for match in _matches(file, template, files, rules, _asked(template, profile, tags), together.get(file))
            if match.rule.severity != "informational"
        ]
        found += [match for match in across if match.filename == file]
        found.sort(key=lambda match: (match.linenumber, match.rule.id))
        checked.append(Checked(file, template, found, time.monotonic() - began))
    report = _report(report_format, checked, rules, _config(list(templates)))
    return Validation(sum(len(one.matches) for one in checked), report, tuple(unreadable))


def _report(report_format: Format, checked: Sequence[Checked], rules: Rules, config: Any) -> str:
    if report_format == "text":
        return text_report(checked)
    if report_format == "junit":
        return junit_report(checked, rules)
    if report_format == "sarif":
        return sarif_report(checked)
    formatter = formatters.JsonFormatter() if report_format == "json" else formatters.PrettyFormatter()
    matches = [match for one in checked for match in one.matches]
    return formatter.print_matches(matches, rules, config=config) or ""


def _asked(template: Mapping[str, Any], profile: Profile | None, tags: Mapping[str, str | None]) -> Profile:
    asked = profile or profile_of(template)
    return replace(asked, tags={**asked.tags, **tags})


def _matches(
    file: str,
    template: Mapping[str, Any],
    files: Sequence[str],
    rules: Rules,
    profile: Profile,
    together: Template | None,
) -> list[Any]:
    with held_to(profile, None if together is None else together.held_to(profile)):
        return list(_run_template(file, template, _config(files), rules))


def _config(files: Sequence[str]) -> Any:
    """Settings that no file and no argument of this process changes; a template's Metadata changes its own copy."""
    return ConfigMixIn(["--config-file", os.devnull], regions=[REGION], templates=list(files))


def _read(files: Sequence[str]) -> tuple[dict[str, Mapping[str, Any]], list[str]]:
    """The templates by their files, and a line for each file that holds none."""
    found: dict[str, Mapping[str, Any]] = {}
    faults: list[str] = []
    for file in dict.fromkeys(files):
        try:
            if file == STDIN:
                template, flaws = decode_str(sys.stdin.buffer.read().decode("utf-8"))
            else:
                pathlib.Path(file).read_text(encoding="utf-8")
                template, flaws = decode(file)
        except OSError as error:
            faults.append(f"{file}: cannot be read ({error.strerror}); {_EXPECTED}")
            continue
        except UnicodeDecodeError:
            faults.append(f"{file}: is no text in UTF-8; {_EXPECTED}")
            continue
        if flaws:
            place = f"{file}:{flaws[0].linenumber}:{flaws[0].columnnumber}"
            faults.append(f"{place}: is neither JSON nor YAML ({flaws[0].message}); {_EXPECTED}")
        elif fault := _fault(template):
            faults.append(f"{file}: {fault}")
        else:
            found[file] = template
    return found, faults


def _fault(template: Any) -> str | None:
    """Why something is no template, or what cfn-lint takes for a mapping before it checks that it is one."""
    if not isinstance(template, Mapping) or "Resources" not in template:
        return f"has no Resources; {_EXPECTED}"
    if not isinstance(template["Resources"], Mapping):
        return f"Resources: is no mapping; {_EXPECTED}"
    for name, owner in (
        ("", template),
        *(("Resources." + str(key), body) for key, body in template["Resources"].items()),
    ):
        value: Any = owner
        place = name
        for key in ("Metadata", "cfn-lint", "config"):
            value = value.get(key, {}) if isinstance(value, Mapping) else {}
            place = f"{place}.{key}".lstrip(".")
            if not isinstance(value, Mapping):
                return f"{place}: is no mapping; expected keys with values"
    return None
