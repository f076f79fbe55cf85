"""`imgpipe package`: which zips a user gets, and that there are none after an error."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from imgpipe_templates.config import DEFAULT_PRESET, PRESETS

ONE_FUNCTION = ["package", "--preset", "thumbnails"]
PROCESSOR, LAYER = "build/thumbnails/functions/processor.zip", "build/thumbnails/layers/processor.zip"


def names(path):
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def zips():
    return {str(path) for path in Path().rglob("*") if path.is_file()}


def test_default_is_the_default_presets_code_with_its_wheels(imgpipe):
    done = imgpipe("package")

    path = f"build/{DEFAULT_PRESET}/functions/processor.zip"
    assert done.status == 0
    assert path in done.out.splitlines()
    assert set(done.out.splitlines()) == zips()
    assert {"index.py", "imgpipe_processor/handler.py", "PIL/Image.py"} <= names(path)
    assert f"{DEFAULT_PRESET}/processor" in done.err


def test_all_presets_are_built_with_the_functions_that_each_has(imgpipe):
    done = imgpipe("package", "--preset", "all", "--out", "made")

    helpers = {"reporting": "bucket_notification", "media-library": "retrieval_api", "production": "retrieval_api"}
    expected = {f"made/{preset}/functions/processor.zip" for preset in PRESETS.names}
    expected |= {f"made/{preset}/functions/{helper}.zip" for preset, helper in helpers.items()}
    assert (done.status, set(done.out.splitlines())) == (0, expected)
    assert expected == zips()
    assert max(len(line) for line in done.err.splitlines() if "python3.13 on" in line and "/" in line) <= 80


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_pillow_comes_in_a_layer_where_that_is_chosen(imgpipe, architecture):
    done = imgpipe(
        *ONE_FUNCTION, "--set", "processing.pillow=layer", "--set", f"processing.architecture={architecture}"
    )

    machine = {"arm64": "aarch64"}.get(architecture, architecture)
    assert (done.status, done.out.splitlines()) == (0, [PROCESSOR, LAYER])
    assert not [name for name in names(PROCESSOR) if "PIL" in name or "pillow" in name]
    assert f"python/PIL/_imaging.cpython-313-{machine}-linux-gnu.so" in names(LAYER)
    assert f"thumbnails/processor layer   python3.13 on {architecture}" in done.err
    assert "that you name" not in done.err


@pytest.mark.parametrize(("pillow", "place"), [("bundled", PROCESSOR), ("layer", LAYER)])
def test_what_the_configuration_decodes_with_comes_where_pillow_does(imgpipe, pillow, place):
    chosen = [
        f"processing.pillow={pillow}",
        "processing.heic=true",
        'uploads.extensions=["heic"]',
        "processing.engine=libvips",
    ]
    done = imgpipe(*ONE_FUNCTION, *(part for one in chosen for part in ("--set", one)))

    brought = {name.removeprefix("python/") for name in names(place)}
    assert done.status == 0
    assert {"PIL/__init__.py", "pi_heif/__init__.py", "pyvips/__init__.py", "_libvips.abi3.so"} <= brought


def test_an_existing_layer_is_not_built_but_what_it_has_to_hold_is_said(imgpipe):
    done = imgpipe(*ONE_FUNCTION, "--set", "processing.pillow=existing-layer")

    assert (done.status, done.out.splitlines()) == (0, [PROCESSOR])
    assert zips() == {PROCESSOR}
    assert "thumbnails/processor needs pillow==13.0.0 below python/ of the layer that you name." in done.err


def test_bytecode_can_be_left_out_and_its_absence_is_said(imgpipe):
    done = imgpipe(*ONE_FUNCTION, "--bytecode", "none")

    assert done.status == 0
    assert not [name for name in names(PROCESSOR) if name.endswith(".pyc")]
    assert "Bytecode for python3.13: none, so every cold start compiles the modules." in done.err


def test_bytecode_that_is_insisted_on_is_there_or_nothing_is_written(imgpipe, tmp_path, monkeypatch):
    elsewhere = "3.14" if sys.version_info[:2] != (3, 14) else "3.13"
    for variable in ("PATH", "PYENV_ROOT", "UV_PYTHON_INSTALL_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / "nothing"))

    refused = imgpipe(*ONE_FUNCTION, "--set", f"processing.runtime=python{elsewhere}", "--bytecode", "require")

    assert (refused.status, refused.out, zips()) == (1, "", set())
    assert f"error: bytecode: python{elsewhere}: not installed on this machine" in refused.err


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--bytecode", "always"], 2, "--bytecode"),
        (["--preset", "thumbnail"], 2, "did you mean thumbnails?"),
        (["--preset", "all", "--preset", "nothing"], 2, "nothing"),
        (["--config", "none.toml"], 1, "none.toml: no such file"),
        (["--set", "processing.pillow=wheel"], 1, "processing.pillow: 'wheel'"),
        (["--set", "processing.runtime=python3.11"], 1, "processing.runtime: 'python3.11'"),
        (["--layout", "nested"], 2, "--layout"),
        (["processor"], 2, "processor"),
    ],
)
def test_wrong_selections_say_what_is_wrong_and_write_nothing(imgpipe, arguments, status, says):
    refused = imgpipe("package", *arguments)

    assert (refused.status, refused.out) == (status, "")
    assert says in refused.err
    assert not list(Path().iterdir())


def test_two_pipelines_of_one_name_are_refused(imgpipe):
    Path("own.toml").write_text('preset = "thumbnails"\n')

    refused = imgpipe(*ONE_FUNCTION, "--config", "own.toml")

    assert (refused.status, zips()) == (1, {"own.toml"})
    assert "'thumbnails' is the name of two chosen pipelines" in refused.err


def test_without_wheels_nothing_is_written(imgpipe, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("IMGPIPE_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    refused = imgpipe("package", "--preset", "all")

    assert (refused.status, refused.out) == (1, "")
    assert "error: processor/requirements.txt: pillow==13.0.0: pip finds no wheels" in refused.err
    assert not list(Path().iterdir())


def test_a_place_that_is_a_file_is_refused(imgpipe):
    Path("build").write_text("mine")

    refused = imgpipe(*ONE_FUNCTION)

    assert refused.status == 1
    assert "error: build: packages: cannot be written" in refused.err
    assert Path("build").read_text() == "mine"
