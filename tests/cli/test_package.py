"""`imgpipe package`: the written zip files, and none after an error."""

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


def test_default_is_the_code_of_the_default_preset_with_its_wheels(imgpipe):
    done = imgpipe("package")

    path = f"build/{DEFAULT_PRESET}/functions/processor.zip"
    assert done.status == 0
    assert path in done.out.splitlines()
    assert set(done.out.splitlines()) == zips()
    assert {"index.py", "imgpipe_processor/handler.py", "PIL/Image.py"} <= names(path)
    assert f"{DEFAULT_PRESET}/processor" in done.err


def test_all_presets_are_built_with_all_their_functions(imgpipe):
    done = imgpipe("package", "--preset", "all", "--out", "made")

    helpers = {"reporting": "bucket_notification", "media-library": "retrieval_api", "production": "retrieval_api"}
    expected = {f"made/{preset}/functions/processor.zip" for preset in PRESETS.names}
    expected |= {f"made/{preset}/functions/{helper}.zip" for preset, helper in helpers.items()}
    assert (done.status, set(done.out.splitlines())) == (0, expected)
    assert expected == zips()
    assert max(len(line) for line in done.err.splitlines() if "python3.13 on" in line and "/" in line) <= 80


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_layer_contains_pillow_if_configured(imgpipe, architecture):
    done = imgpipe(
        *ONE_FUNCTION, "--set", "processing.pillow=layer", "--set", f"processing.architecture={architecture}"
    )

    machine = {"arm64": "aarch64"}.get(architecture, architecture)
    assert (done.status, done.out.splitlines()) == (0, [PROCESSOR, LAYER])
    assert not [name for name in names(PROCESSOR) if "PIL" in name or "pillow" in name]
    assert f"python/PIL/_imaging.cpython-313-{machine}-linux-gnu.so" in names(LAYER)
    assert f"thumbnails/processor layer   python3.13 on {architecture}" in done.err
    assert "requires a layer" not in done.err


@pytest.mark.parametrize(("pillow", "zip_file"), [("bundled", PROCESSOR), ("layer", LAYER)])
def test_configured_decoders_are_in_the_same_zip_as_pillow(imgpipe, pillow, zip_file):
    options = [
        f"processing.pillow={pillow}",
        "processing.heic=true",
        'uploads.extensions=["heic"]',
        "processing.engine=libvips",
    ]
    done = imgpipe(*ONE_FUNCTION, *(part for one in options for part in ("--set", one)))

    packaged = {name.removeprefix("python/") for name in names(zip_file)}
    assert done.status == 0
    assert {"PIL/__init__.py", "pi_heif/__init__.py", "pyvips/__init__.py", "_libvips.abi3.so"} <= packaged


def test_existing_layer_is_not_built_and_its_required_contents_are_printed(imgpipe):
    done = imgpipe(*ONE_FUNCTION, "--set", "processing.pillow=existing-layer")

    assert (done.status, done.out.splitlines()) == (0, [PROCESSOR])
    assert zips() == {PROCESSOR}
    assert "thumbnails/processor requires a layer with pillow==13.0.0 in its folder python/." in done.err


def test_package_without_bytecode_is_reported(imgpipe):
    done = imgpipe(*ONE_FUNCTION, "--bytecode", "none")

    assert done.status == 0
    assert not [name for name in names(PROCESSOR) if name.endswith(".pyc")]
    assert "Bytecode for python3.13: none, so every cold start compiles the modules." in done.err


def test_nothing_is_written_without_required_bytecode(imgpipe, tmp_path, monkeypatch):
    missing = "3.14" if sys.version_info[:2] != (3, 14) else "3.13"
    for variable in ("PATH", "PYENV_ROOT", "UV_PYTHON_INSTALL_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / "nothing"))

    rejected = imgpipe(*ONE_FUNCTION, "--set", f"processing.runtime=python{missing}", "--bytecode", "require")

    assert (rejected.status, rejected.out, zips()) == (1, "", set())
    assert f"error: bytecode: python{missing}: not installed on this machine" in rejected.err


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
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
def test_wrong_selection_is_reported_and_writes_nothing(imgpipe, arguments, status, message):
    rejected = imgpipe("package", *arguments)

    assert (rejected.status, rejected.out) == (status, "")
    assert message in rejected.err
    assert not list(Path().iterdir())


def test_two_pipelines_of_one_name_are_rejected(imgpipe):
    Path("own.toml").write_text('preset = "thumbnails"\n')

    rejected = imgpipe(*ONE_FUNCTION, "--config", "own.toml")

    assert (rejected.status, zips()) == (1, {"own.toml"})
    assert "'thumbnails' is the name of two selected pipelines" in rejected.err


def test_without_wheels_nothing_is_written(imgpipe, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("IMGPIPE_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    rejected = imgpipe("package", "--preset", "all")

    assert (rejected.status, rejected.out) == (1, "")
    assert "error: processor/requirements.txt: pillow==13.0.0: pip finds no wheels" in rejected.err
    assert not list(Path().iterdir())


def test_output_path_that_is_a_file_is_rejected(imgpipe):
    Path("build").write_text("other")

    rejected = imgpipe(*ONE_FUNCTION)

    assert rejected.status == 1
    assert "error: build: packages: cannot be written" in rejected.err
    assert Path("build").read_text() == "other"
