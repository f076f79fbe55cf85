"""What is published: the sdist has all that its tests read, and README on an index has no link into nowhere."""

from __future__ import annotations

import email
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
# What the version control and the tools of a working copy keep there.
NOT_PUBLISHED = {".git", ".gitattributes", ".gitignore", ".venv", "dist", "AGENTS.md"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel."""
    folder = tmp_path_factory.mktemp("distributions")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--target",
        folder / "backend",
    ]
    subprocess.run([*pip, "hatchling", "hatch-fancy-pypi-readme"], check=True, capture_output=True)
    build = "import sys; sys.path.insert(0, sys.argv.pop(1)); from hatchling.cli import hatchling; hatchling()"
    command = [sys.executable, "-c", build, folder / "backend", "build", "-t", "sdist", "-t", "wheel", "-d", folder]
    subprocess.run(command, check=True, capture_output=True, cwd=REPOSITORY)
    return folder


def test_the_sdist_has_every_file_that_tests_and_checks_read(built: Path):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        published = {name.partition("/")[2] for name in archive.getnames()}
    tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True, cwd=REPOSITORY, check=False)
    if tracked.returncode:  # an unpacked sdist
        assert {"tests/conftest.py", "build/production/single/manifest.json", "tools/compliance"} <= {
            *published,
            *(str(parent) for name in published for parent in Path(name).parents),
        }
        return
    missing = {
        name
        for name in tracked.stdout.splitlines()
        if name.split("/")[0] not in NOT_PUBLISHED and (REPOSITORY / name).exists()
    } - published
    assert missing == set()


def test_readme_on_an_index_has_no_relative_link(built: Path):
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        message = email.message_from_bytes(archive.read(metadata))
        assert "MIT License" in archive.read(metadata.replace("METADATA", "licenses/LICENSE")).decode()
    text = str(message.get_payload(decode=True), "utf-8")
    assert message["License-Expression"] == "MIT"
    assert re.findall(r"\]\((?!https://)[^)]*\)", text) == []
    assert "What is real in that, and what is only recorded (`docs/local.md` in the source distribution)" in text


def test_the_wheel_has_the_command_and_the_lambda_code(built: Path):
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert "imgpipe_templates/_lambda/processor/index.py" in names
    assert "imgpipe_templates/presets/production.toml" in names
    assert not [name for name in names if name.startswith(("tests/", "docs/", "benchmarks/"))]
