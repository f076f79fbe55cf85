"""The templates under fixtures/, parsed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from cfnlint.decode import cfn_yaml

FOLDER = Path(__file__).parent / "fixtures"


def names(pattern: str) -> list[str]:
    """`<rule id>/<file>` of every fixture whose file name fits."""
    return sorted(path.relative_to(FOLDER).with_suffix("").as_posix() for path in FOLDER.glob(f"[EW]*/{pattern}.yaml"))


@cache
def template(name: str) -> dict[str, Any]:
    """One fixture, short-form functions written out. Shared: copy it before you change it."""
    return cfn_yaml.loads((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
