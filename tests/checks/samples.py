"""The templates under fixtures/, parsed, and the paths of their violations."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from cfnlint.decode import cfn_yaml

FOLDER = Path(__file__).parent / "fixtures"
_MARK = "# violation: "


def names(pattern: str) -> list[str]:
    """Return `<rule id>/<file>` of the fixtures whose file names match."""
    return sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.glob(f"[EW]*/{pattern}.yaml"))


@cache
def template(name: str) -> dict[str, Any]:
    """Return a fixture with long-form functions. Shared: copy it before a change."""
    return cfn_yaml.loads((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def expected_paths(name: str) -> list[str]:
    """Return the paths in the `# violation:` comments at the top of a fixture, in the order of the rule."""
    lines = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    return [line.removeprefix(_MARK) for line in lines if line.startswith(_MARK)]
