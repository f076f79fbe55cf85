"""Validation of template files, rendered by this project or not."""

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

from imgpipe_templates.checks.cfnlint_rules import validation_context
from imgpipe_templates.checks.cfnlint_runner import REGION, load_rules
from imgpipe_templates.checks.facts.template import Profile, Template
from imgpipe_templates.checks.layout_validation import matches_between_files, merged_layouts, stack_rule_classes
from imgpipe_templates.checks.profiles import profile_of
from imgpipe_templates.checks.report_formats import Checked, junit_report, sarif_report, text_report

Format = Literal["text", "json", "sarif", "junit", "pretty"]

STDIN = "-"
_EXPECTED = "expected a CloudFormation template in JSON or YAML"


@dataclass(frozen=True)
class Validation:
    """The result for some files.

    Attributes:
        findings: Number of errors and warnings.
        report: The report in the requested format; may be empty without findings.
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
    """Check template files with cfn-lint's rules and the project's.

    Runtimes are compared with today's date. Settings files of cfn-lint are ignored; Metadata of the templates is not.

    Args:
        files: The files; `-` means standard input.
        report_format: Format of the report.
        profile: The requirements in addition to those of AWS; None applies the project's conventions to templates that
            this project rendered, and no conventions to others.
        tags: Required tags in addition to the profile's, as key and value; the value None allows any value.
        announce: Called with the name of each file before its check.
    """
    templates, unreadable = _read(files)
    rules = Rules({**load_rules(), **stack_rule_classes()})
    layouts = merged_layouts(templates)
    between_files = list(matches_between_files(templates, rules))
    checked: list[Checked] = []
    for file, template in sorted(templates.items()):
        announce(file)
        began = time.monotonic()
        found = [
            match
            for match in _matches(file, template, files, rules, _profile(template, profile, tags), layouts.get(file))
            if match.rule.severity != "informational"
        ]
        found += [match for match in between_files if match.filename == file]
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


def _profile(template: Mapping[str, Any], profile: Profile | None, tags: Mapping[str, str | None]) -> Profile:
    chosen = profile or profile_of(template)
    return replace(chosen, tags={**chosen.tags, **tags})


def _matches(
    file: str,
    template: Mapping[str, Any],
    files: Sequence[str],
    rules: Rules,
    profile: Profile,
    layout: Template | None,
) -> list[Any]:
    with validation_context(profile, None if layout is None else layout.with_profile(profile)):
        return list(_run_template(file, template, _config(files), rules))


def _config(files: Sequence[str]) -> Any:
    """Return settings without a config file or arguments of this process; a template's Metadata still applies."""
    return ConfigMixIn(["--config-file", os.devnull], regions=[REGION], templates=list(files))


def _read(files: Sequence[str]) -> tuple[dict[str, Mapping[str, Any]], list[str]]:
    """Return the templates by file, and one line for each file that is no template."""
    found: dict[str, Mapping[str, Any]] = {}
    errors: list[str] = []
    for file in dict.fromkeys(files):
        try:
            if file == STDIN:
                template, decode_errors = decode_str(sys.stdin.buffer.read().decode("utf-8"))
            else:
                pathlib.Path(file).read_text(encoding="utf-8")
                template, decode_errors = decode(file)
        except OSError as error:
            errors.append(f"{file}: cannot be read ({error.strerror}); {_EXPECTED}")
            continue
        except UnicodeDecodeError:
            errors.append(f"{file}: is not UTF-8 text; {_EXPECTED}")
            continue
        if decode_errors:
            position = f"{file}:{decode_errors[0].linenumber}:{decode_errors[0].columnnumber}"
            errors.append(f"{position}: is neither JSON nor YAML ({decode_errors[0].message}); {_EXPECTED}")
        elif reason := _template_error(template):
            errors.append(f"{file}: {reason}")
        else:
            found[file] = template
    return found, errors


def _template_error(template: Any) -> str | None:
    """Return the reason why a value is no template; includes values that cfn-lint requires to be mappings."""
    if not isinstance(template, Mapping) or "Resources" not in template:
        return f"has no Resources; {_EXPECTED}"
    if not isinstance(template["Resources"], Mapping):
        return f"Resources: is not a mapping; {_EXPECTED}"
    for name, owner in (
        ("", template),
        *(("Resources." + str(key), body) for key, body in template["Resources"].items()),
    ):
        value: Any = owner
        path = name
        for key in ("Metadata", "cfn-lint", "config"):
            value = value.get(key, {}) if isinstance(value, Mapping) else {}
            path = f"{path}.{key}".lstrip(".")
            if not isinstance(value, Mapping):
                return f"{path}: is not a mapping; expected keys with values"
    return None
