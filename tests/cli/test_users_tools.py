"""Tools of users accept the written files. The tests install the tools from the package index."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from imgpipe_templates.config import PRESETS

PACKAGES = ["check-jsonschema", "sceptre", "tombi"]


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one subfolder per installed tool: the tools require different packages."""
    folder = tmp_path_factory.mktemp("tools")
    for package in PACKAGES:
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--target", folder / package, package],
            check=True,
            capture_output=True,
        )
    return folder


def run(tools: Path, package: str, *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command of a package; both have the same name."""
    return subprocess.run(
        [tools / package / "bin" / package, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(tools / package), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("preset", PRESETS.names)
def test_schema_accepts_the_file_of_init_and_rejects_a_wrong_type(imgpipe, tools, tmp_path, preset):
    assert imgpipe("init", "--preset", preset, "--out", str(tmp_path / "imgpipe.toml")).status == 0
    (tmp_path / "wrong.toml").write_text(f'#:schema imgpipe.schema.json\npreset = "{preset}"\nname = 7\n')

    by_schema = [
        run(tools, "check-jsonschema", "--schemafile", "imgpipe.schema.json", file, cwd=tmp_path)
        for file in ("imgpipe.toml", "wrong.toml")
    ]
    by_comment = [
        run(tools, "tombi", "lint", "--offline", file, cwd=tmp_path) for file in ("imgpipe.toml", "wrong.toml")
    ]

    assert [done.returncode for done in (*by_schema, *by_comment)] == [0, 1, 0, 1], (by_schema, by_comment)
    assert "$.name: 7 is not of type 'string'" in by_schema[1].stdout


@pytest.mark.parametrize("preset", PRESETS.names)
def test_sceptre_generates_the_template_of_every_preset(tools, repository, tmp_path, preset):
    template = repository / "build" / preset / "single" / "pipeline.template.yaml"
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "pipeline.yaml").write_text(template.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "config" / "dev").mkdir(parents=True)
    (tmp_path / "config" / "config.yaml").write_text("project_code: pics\nregion: us-east-1\n")
    (tmp_path / "config" / "dev" / "stack.yaml").write_text("template: {path: pipeline.yaml, type: file}\n")

    done = run(tools, "sceptre", "generate", "dev/stack.yaml", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    (printed,) = yaml.safe_load_all(done.stdout)
    assert printed.strip() == "---\n" + template.read_text(encoding="utf-8").strip()
