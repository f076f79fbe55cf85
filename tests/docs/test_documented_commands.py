"""Every command and program of the documentation, run in order as a newcomer does, in a fresh environment."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from PIL import Image

from imgpipe_templates import load_config
from imgpipe_templates.cli import root
from tests.docs.blocks import NOT_RUN, REPOSITORY, Block, blocks, documents

ACCOUNT = "210987654321"  # of this test alone on the shared engine
BLOCKS = [block for document in documents() for block in blocks(document)]
RUN = [block for block in BLOCKS if block.is_run]
INLINE = re.compile(r"`(?:python -m imgpipe_templates|imgpipe) (?P<words>[a-z][^`]*)`")


def test_every_block_says_what_it_is():
    assert [block.place for block in BLOCKS if block.language not in {"sh", "python", "toml", "text"}] == []


def test_what_is_not_run_has_its_reason():
    left_out = [block for block in BLOCKS if block.language in {"sh", "python"} and not block.is_run]

    assert [block.note for block in left_out] == [
        "test command",
        f"{NOT_RUN}it runs the tests",
        f"{NOT_RUN}CI runs each of them",
    ]
    assert "<!-- test command -->" in (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if block.language == "toml"], ids=lambda block: block.place
)
def test_every_configuration_that_is_shown_is_valid(block: Block, tmp_path: Path):
    (tmp_path / "imgpipe.toml").write_text(block.text, encoding="utf-8")

    assert load_config(tmp_path / "imgpipe.toml").name == "holiday-photos"


def test_commands_in_sentences_have_the_options_that_they_name():
    named = [
        (document.name, match["words"].split())
        for document in documents()
        for match in INLINE.finditer(document.read_text(encoding="utf-8"))
    ]
    assert len(named) > 5
    for document, words in named:
        command, rest = called(words)
        options = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= options, (document, words)


def called(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that the words name, and what follows it."""
    command: click.Command = root
    while isinstance(command, click.Group) and words:
        found = command.get_command(click.Context(root), words[0])
        assert found, words
        command, words = found, words[1:]
    return command, words


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository as it is cloned, with a folder of photos in it."""
    folder = tmp_path_factory.mktemp("docs") / "clone"
    ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(REPOSITORY, folder, ignore=ignored)
    (folder / "photos").mkdir()
    Image.effect_noise((300, 200), 40).convert("RGB").save(folder / "photos" / "beach.jpg")
    return folder


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for PATH: the Python of this test run as `python3`, and AWS's own command line."""
    folder = tmp_path_factory.mktemp("programs")
    libraries = folder / "libraries"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--target",
            libraries,
            "awscli",
        ],
        check=True,
        capture_output=True,
    )
    for name, command in {
        "python3": f"exec '{sys.executable}'",
        "aws": f"PYTHONPATH='{libraries}' exec '{sys.executable}' -m awscli",
    }.items():
        (folder / name).write_text(f'#!/bin/sh\n{command} "$@"\n', encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def printed(clone: Path, programs: Path, engine) -> list[str]:
    """What each block of `RUN` printed. They share one shell, and AWS is the local engine."""
    client = engine.session(ACCOUNT).client("s3", endpoint_url=engine.endpoint_url)
    client.create_bucket(Bucket="code-of-the-docs")
    script = ["exec 2>&1"]
    for block in RUN:
        script.append("printf '\\n\\036\\n'")
        script.append(block.text if block.language == "sh" else f"python - <<'PYTHON'\n{block.text}\nPYTHON")
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    environment |= {
        "PATH": f"{programs}:{environment['PATH']}",
        "AWS_ENDPOINT_URL": engine.endpoint_url,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "CODE_BUCKET": "code-of-the-docs",
        "COLUMNS": "80",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(script)],
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    _, *outputs = done.stdout.split("\n\x1e\n")
    assert done.returncode == 0, f"{RUN[len(outputs) - 1].place}\n{outputs[-1]}{done.stderr}"
    return outputs


def test_every_command_does_what_the_page_says(printed: list[str], clone: Path):
    assert len(printed) == len(RUN)
    assert (clone / "build" / "production" / "single" / "pipeline.template.yaml").is_file()
    assert {path.name for path in (clone / "thumbnails").iterdir()} == {
        "index.html",
        "beach.jpg.json",
        "beach.jpg.thumbnail-128.jpg",
    }
    assert (clone / "build" / "thumbnails" / "layers" / "processor.zip").is_file()


def test_what_is_shown_is_what_is_printed(printed: list[str]):
    shown = [(block.place, block.shows, output) for block, output in zip(RUN, printed, strict=True) if block.shows]

    assert shown
    assert [(place, output.strip()) for place, _, output in shown] == [
        (place, text.strip()) for place, text, _ in shown
    ]


def test_the_default_preset_is_deployed_as_readme_says(printed: list[str], engine):  # noqa: ARG001 - it deploys
    client = engine.session(ACCOUNT).client("cloudformation", endpoint_url=engine.endpoint_url)

    (stack,) = client.describe_stacks(StackName="production")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
