"""Allowed imports (docs/architecture.md): each part of the package imports only lower parts."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import imgpipe_templates

PACKAGE = Path(imgpipe_templates.__file__).parent

# Part of the package -> the parts it may import, in addition to itself and the lowest modules.
BOTTOM = {"", "arguments", "errors", "cache", "limits", "records", "version"}
BELOW = {
    "arguments": set(),
    "errors": set(),
    "cache": set(),
    "limits": set(),
    "records": set(),
    "version": set(),
    "configuration": set(),
    "core": set(),
    "grants": {"core"},
    "patterns": {"configuration", "core", "grants"},
    "subsystems": {"configuration", "core", "grants", "patterns"},
    "names": {"core"},
    "render": {"core"},
    "checks": {"patterns", "promises"},
    "options": {"configuration", "names", "patterns", "subsystems"},
    "pipeline": {"core", "names", "options", "patterns", "subsystems"},
    "promises": {"options"},
    "library": {"core", "options", "patterns", "pipeline", "promises", "render"},
    "config": {"configuration", "options"},
    "validation": {"checks", "render"},
    "packaging": {"core", "render"},
    "deployment": {"render"},
    "local": {"deployment", "packaging"},
    "cli": {
        *("checks", "config", "configuration", "deployment", "library", "local", "options", "packaging", "render"),
        "validation",
    },
    "__main__": {"cli"},
    "__init__": {
        *("checks", "config", "core", "deployment", "grants", "library", "options", "packaging", "render"),
        "validation",
    },
}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "_lambda" not in path.parts)
NEEDS_AWS = {"boto3", "botocore"}


def part_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def own_parts(path: Path) -> set[str]:
    dotted = [name.split(".") for name in imports(path) if name.split(".")[0] == "imgpipe_templates"]
    return {
        parts[1]
        for parts in dotted
        if (len(parts) > 1 and (PACKAGE / parts[1]).exists()) or (PACKAGE / f"{parts[1]}.py").exists()
    }


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_what_is_below_it(path):
    part = part_of(path)

    assert own_parts(path) - {part} - BOTTOM <= BELOW[part]


@pytest.mark.line("002-31")
def test_no_subsystem_imports_a_subsystem():
    for path in (PACKAGE / "subsystems").rglob("*.py"):
        assert not [name for name in imports(path) if name.startswith("imgpipe_templates.subsystems")], path


def test_core_knows_nothing_of_iam_actions_and_only_grants_name_them():
    for path in MODULES:
        actions = [
            name
            for name in imports(path)
            if name.startswith("awacs.") and not name.startswith(("awacs.aws", "awacs.helpers"))
        ]
        if part_of(path) == "core":
            assert not actions, path


def test_aws_is_called_only_from_deployment_and_local():
    for path in MODULES:
        if part_of(path) not in {"deployment", "local"}:
            assert not {name.split(".")[0] for name in imports(path)} & NEEDS_AWS, path


@pytest.mark.line("002-31")
def test_lambda_code_and_package_do_not_import_each_other(repository):
    for path in (repository / "lambda").rglob("*.py"):
        assert not [name for name in imports(path) if name.startswith("imgpipe_templates")], path
    for path in MODULES:
        assert not [name for name in imports(path) if name.startswith("imgpipe_processor")], path
