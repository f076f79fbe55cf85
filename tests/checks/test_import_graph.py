"""The layers of the checks: findings, facts, rules, validation."""

from __future__ import annotations

import ast
from collections import Counter
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import imgpipe_templates

PACKAGE = Path(imgpipe_templates.__file__).parent
CHECKS = "imgpipe_templates.checks"


def name_of(path):
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for path in (PACKAGE / "checks").rglob("*.py")}


def imports(path):
    """The modules of the checks that a module imports, in functions and for type checking too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(CHECKS):
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in full}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith(CHECKS)}
    return found


def modules_below(folder):
    return sorted(name for name in MODULES if name.startswith(f"{CHECKS}.{folder}."))


@pytest.mark.parametrize("name", modules_below("rules"))
def test_rule_module_imports_no_other_rule_module(name):
    allowed = {f"{CHECKS}.findings", f"{CHECKS}.rule", *modules_below("facts")}

    assert imports(MODULES[name]) <= allowed


@pytest.mark.parametrize("name", modules_below("facts"))
def test_fact_module_imports_facts_and_findings_only(name):
    assert imports(MODULES[name]) <= {f"{CHECKS}.findings", *modules_below("facts")}


def test_checks_have_no_import_circle():
    TopologicalSorter({name: imports(path) for name, path in MODULES.items()}).prepare()


def test_base_names_of_check_modules_are_unique_in_the_package():
    counts = Counter(path.name for path in PACKAGE.rglob("*.py") if "_lambda" not in path.parts)

    assert {path.name for path in MODULES.values() if counts[path.name] > 1} == {"__init__.py"}
