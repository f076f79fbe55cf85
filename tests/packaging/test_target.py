"""What packages are built for, and where their sources are found."""

from __future__ import annotations

import importlib.util
import json
import platform
import sys

import pytest

from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging import Target, build_package, function_source, lambda_sources

OWN = "python{}.{}".format(*sys.version_info)


def test_default_is_python_313_on_arm64():
    assert Target("python3.13", "arm64") == Target()


def test_platforms_go_from_the_runtimes_c_library_down_to_manylinux2014():
    platforms = Target().platforms

    assert platforms[0] == "manylinux_2_34_aarch64"
    assert platforms[-2:] == ("manylinux_2_17_aarch64", "manylinux2014_aarch64")
    assert len(platforms) == 34 - 17 + 2


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (
            ("python3.11", "arm64"),
            "target: runtime: 'python3.11' not supported; expected one of python3.12, python3.13, python3.14",
        ),
        (("python3.13", "arm"), "target: architecture: 'arm' unknown; expected one of arm64, x86_64"),
    ],
)
def test_what_cannot_be_packaged_for_is_refused(values, problem):
    with pytest.raises(PackagingError) as failure:
        Target(*values)

    assert str(failure.value) == problem


def test_this_interpreter_is_a_target_with_the_c_library_of_the_machine():
    target = Target.of_interpreter(sys.executable)

    assert target.runtime == OWN
    assert target.machine == platform.machine()
    assert target.glibc == tuple(int(number) for number in platform.libc_ver()[1].split("."))
    assert target.bytecode == int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little")


def script(tmp_path, text):
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_an_interpreter_that_does_not_run_is_named_with_what_it_said(tmp_path):
    python = script(tmp_path, "echo 'python: command not found' >&2; exit 127")

    with pytest.raises(PackagingError) as failure:
        Target.of_interpreter(python)
    assert str(failure.value) == (
        f"{python}: interpreter: does not run (python: command not found); expected CPython 3.11 to 3.14"
    )
    with pytest.raises(PackagingError, match="No such file"):
        Target.of_interpreter(str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"version": [3, 10]}, "is cpython 3.10; expected CPython 3.11 to 3.14"),
        ({"implementation": "pypy"}, "is pypy 3.13; expected CPython 3.11 to 3.14"),
        ({"platform": "darwin"}, "runs on 'darwin'; expected Linux, the platform of Lambda's wheels"),
        ({"machine": "riscv64"}, "runs on 64-bit riscv64; expected 64-bit aarch64 or x86_64"),
        ({"bits": 32}, "runs on 32-bit x86_64; expected 64-bit aarch64 or x86_64"),
        (
            {"libc": ["", ""]},
            "runs on the C library 'unknown'; expected glibc, which manylinux wheels require",
        ),
        ({"free_threaded": True}, "is a free-threaded build; expected a build with the GIL, as on Lambda"),
    ],
)
def test_an_interpreter_that_lambda_does_not_have_is_refused(tmp_path, change, problem):
    values = {
        "implementation": "cpython",
        "version": [3, 13],
        "platform": "linux",
        "machine": "x86_64",
        "bits": 64,
        "libc": ["glibc", "2.36"],
        "free_threaded": False,
    }
    python = script(tmp_path, f"echo '{json.dumps({**values, **change})}'")

    with pytest.raises(PackagingError) as failure:
        Target.of_interpreter(python)

    assert str(failure.value) == f"{python}: interpreter: {problem}"


def test_sources_are_those_of_the_wheel_before_those_of_the_working_copy(tmp_path):
    package = tmp_path / "imgpipe_templates"
    package.mkdir()
    with pytest.raises(PackagingError) as failure:
        lambda_sources(package)
    assert str(failure.value) == (
        f"lambda: sources: neither {package}/_lambda nor {tmp_path}/lambda exists; install the package again"
    )

    (tmp_path / "lambda").mkdir()
    assert tmp_path / "lambda" == lambda_sources(package)

    (package / "_lambda").mkdir()
    assert package / "_lambda" == lambda_sources(package)


def test_an_unknown_function_is_answered_with_the_near_name(sources):
    root = sources()

    with pytest.raises(PackagingError) as failure:
        function_source("procesor", root)
    assert str(failure.value) == f"{root}: procesor: no such function; did you mean processor?"

    with pytest.raises(PackagingError) as failure:
        function_source("../processor", root.parent)
    assert str(failure.value) == f"{root.parent}: ../processor: no such function; expected one of none"


def test_a_function_without_handler_file_is_said(sources):
    root = sources()
    (root / "processor" / "index.py").unlink()

    with pytest.raises(PackagingError) as failure:
        function_source("processor", root)

    assert str(failure.value) == (
        f"processor: index.py: missing in {root / 'processor'}; expected the function's handler"
    )


def test_a_symbolic_link_among_the_sources_is_refused(sources, tmp_path):
    root = sources()
    link = root / "processor" / "thumbs" / "linked.py"
    link.symlink_to(root / "processor" / "index.py")

    with pytest.raises(PackagingError) as failure:
        build_package("processor", Target(), tmp_path / "out", sources=root)

    assert str(failure.value) == f"processor: {link}: symbolic link; expected a file or folder"
