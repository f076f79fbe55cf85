"""Modules are compiled beforehand by the runtime's own Python where it is here, and a package without that says so."""

from __future__ import annotations

import marshal
import subprocess
import sys
import zipfile

import pytest

from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging import Contents, Target, build_layer, build_package
from tests.packaging.samples import make_wheel, run_elsewhere

OWN = Target.of_interpreter(sys.executable)  # there is always one Python here: the one that runs the tests
TAG = sys.implementation.cache_tag
NUMBER = "{}.{}.{}".format(*sys.version_info)
ELSEWHERE = Target("python3.14" if OWN.runtime != "python3.14" else "python3.13", "x86_64")
REQUIRED = Contents(bytecode="require")
UNCHECKED = 0b01  # PEP 552


@pytest.fixture
def tool_sources(index, sources):
    make_wheel(index, "tool", "1.0", {"tool/__init__.py": "NAMES = {'a', 'b'}\n", "tool/data.txt": "data"})
    return sources("tool==1.0")


@pytest.fixture
def bare_machine(tmp_path, monkeypatch):
    """A machine with no other Python than the one that runs this."""
    for name in ("PATH", "PYENV_ROOT", "UV_PYTHON_INSTALL_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "nothing"))
    return tmp_path


def bytecode(path):
    """Content of each `.pyc` file by its name."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if name.endswith(".pyc")}


def place_of(content):
    """What tracebacks show as the module's file."""
    return marshal.loads(content[16:]).co_filename  # noqa: S302 - compiled just now


def test_every_module_has_unchecked_bytecode_with_its_path_on_lambda(tool_sources, tmp_path):
    package = build_package("processor", OWN, tmp_path, sources=tool_sources)

    found = bytecode(package.path)
    places = {name: place_of(content) for name, content in found.items()}
    assert places == {
        f"__pycache__/index.{TAG}.pyc": "/var/task/index.py",
        f"thumbs/__pycache__/__init__.{TAG}.pyc": "/var/task/thumbs/__init__.py",
        f"thumbs/__pycache__/handler.{TAG}.pyc": "/var/task/thumbs/handler.py",
        f"tool/__pycache__/__init__.{TAG}.pyc": "/var/task/tool/__init__.py",
    }
    assert {int.from_bytes(content[4:8], "little") for content in found.values()} == {UNCHECKED}
    assert package.bytecode == NUMBER


def test_bytecode_of_a_layer_names_its_place_on_lambda(tool_sources, tmp_path):
    layer = build_layer("processor", OWN, tmp_path, sources=tool_sources)

    (found,) = bytecode(layer.path).items()
    assert found[0] == f"python/tool/__pycache__/__init__.{TAG}.pyc"
    assert place_of(found[1]) == "/opt/python/tool/__init__.py"
    assert layer.bytecode == NUMBER


def test_python_runs_the_bytecode_and_shows_the_source_in_tracebacks(sources, tmp_path):
    root = sources()
    (root / "processor" / "thumbs" / "handler.py").write_text("def lambda_handler(event, context):\n    return 1 / 0\n")
    package = build_package("processor", OWN, tmp_path / "out", sources=root)
    with zipfile.ZipFile(package.path) as archive:
        archive.extractall(tmp_path / "task")
    (tmp_path / "task" / "thumbs" / "handler.py").write_text("# of the source\nSHOWN = 'in the traceback'\n")

    run = [sys.executable, "-S", "-B", "-c", "import index; index.lambda_handler({}, None)"]
    answer = subprocess.run(run, cwd=tmp_path / "task", capture_output=True, text=True, check=False)

    assert "ZeroDivisionError" in answer.stderr
    assert "SHOWN = 'in the traceback'" in answer.stderr


def test_bytecode_has_the_same_bytes_from_any_place_time_zone_umask_and_hash_seed(tool_sources, tmp_path):
    package = build_package("processor", OWN, tmp_path / "here", sources=tool_sources)
    script = (
        "import sys; from pathlib import Path; from imgpipe_templates.packaging import Target, build_package\n"
        "target = Target.of_interpreter(sys.executable)\n"
        "build_package('processor', target, Path('there'), sources=Path(sys.argv[1]))"
    )

    run_elsewhere(script, tool_sources, folder=tmp_path)

    assert package.path.read_bytes() == (tmp_path / "there" / "processor.zip").read_bytes()


def test_bytecode_of_a_wheel_does_not_depend_on_the_function(tool_sources, tmp_path):
    name = f"tool/__pycache__/__init__.{TAG}.pyc"
    before = bytecode(build_package("processor", OWN, tmp_path / "before", sources=tool_sources).path)
    text = "NAMES = {'a', 'b'}\ndef lambda_handler(event, context):\n    return NAMES\n"
    (tool_sources / "processor" / "index.py").write_text(text)

    after = bytecode(build_package("processor", OWN, tmp_path / "after", sources=tool_sources).path)

    assert before[name] == after[name]
    assert before != after


def test_without_the_runtimes_python_a_package_has_no_bytecode_and_says_so(bare_machine, sources):
    lines = []

    package = build_package("processor", ELSEWHERE, bare_machine, sources=sources(), report=lines.append)

    assert (bytecode(package.path), package.bytecode) == ({}, "")
    said = (
        "processor: adding no bytecode, so cold starts are slower: "
        f"{ELSEWHERE.runtime} is not installed on this machine"
    )
    assert said in lines


def test_bytecode_that_is_required_names_the_interpreter_that_is_missing(bare_machine, sources):
    with pytest.raises(PackagingError) as failure:
        build_package("processor", ELSEWHERE, bare_machine / "out", contents=REQUIRED, sources=sources())

    assert str(failure.value) == (
        f"bytecode: {ELSEWHERE.runtime}: not installed on this machine; "
        "expected an interpreter of that version (on PATH, in pyenv or in uv), or another rule than require"
    )
    assert not (bare_machine / "out").exists()


def test_bytecode_can_be_done_without(sources, tmp_path):
    lines = []

    package = build_package(
        "processor", OWN, tmp_path, contents=Contents(bytecode="none"), sources=sources(), report=lines.append
    )

    assert (bytecode(package.path), package.bytecode) == ({}, "")
    assert lines == [f"processor: verifying for {OWN}"]


def test_a_module_that_does_not_compile_is_refused(index, sources, tmp_path):
    make_wheel(index, "tool", "1.0", {"tool.py": "def f(:\n"})

    with pytest.raises(PackagingError) as failure:
        build_package("processor", OWN, tmp_path / "out", sources=sources("tool==1.0"))

    assert str(failure.value).startswith("tool 1.0: tool.py: does not compile (")
    assert str(failure.value).endswith(f"; expected source for {OWN.runtime}")
    assert not (tmp_path / "out").exists()


def test_a_preview_of_the_runtimes_python_is_refused(bare_machine, sources, monkeypatch):
    version = ELSEWHERE.runtime.removeprefix("python").replace(".", " ")
    python = bare_machine / "bin" / ELSEWHERE.runtime
    python.parent.mkdir()
    answer = f'case "$*" in *version_info*) echo {version} 0 "$0";; *) echo \'[1, "cpython", {{}}]\';; esac'
    python.write_text(f"#!/bin/sh\n{answer}\n")
    python.chmod(0o755)
    monkeypatch.setenv("PATH", str(python.parent))

    with pytest.raises(PackagingError) as failure:
        build_package("processor", ELSEWHERE, bare_machine / "out", sources=sources())

    assert str(failure.value) == (
        f"bytecode: Python {version.replace(' ', '.')}.0 ({python}): writes magic number 1; "
        f"expected {ELSEWHERE.bytecode}, that of {ELSEWHERE.runtime}"
    )
