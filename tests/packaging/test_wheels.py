"""Wheels come from pip once, are pinned to the last one, and are checked on the way."""

from __future__ import annotations

import subprocess
import sys
import zipfile

import pytest

from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging import Target, build_package
from imgpipe_templates.packaging.requirements import read_requirements
from imgpipe_templates.packaging.wheels import fetch_wheels
from tests.packaging.samples import make_wheel

TARGET = Target("python3.13", "arm64")


def build(sources, tmp_path, target=TARGET):
    lines = []
    package = build_package("processor", target, tmp_path / "out", sources=sources, report=lines.append)
    return package, lines


def failure_of(sources, tmp_path, target=TARGET):
    with pytest.raises(PackagingError) as failure:
        build(sources, tmp_path, target)
    assert not (tmp_path / "out").exists()
    return str(failure.value).splitlines()


def test_a_second_build_needs_no_index(index, sources, tmp_path):
    wheel = make_wheel(index, "tool", "1.0", {"tool.py": ""})
    root = sources("tool==1.0")
    first, _ = build(root, tmp_path)
    wheel.unlink()

    second, lines = build(root, tmp_path)

    assert first == second
    assert not [line for line in lines if "fetching" in line]


@pytest.mark.parametrize("damage", [b"", b"PK\3\4 cut short"])
def test_a_damaged_wheel_in_the_cache_is_noticed_and_fetched_again(index, own_cache, sources, tmp_path, damage):
    make_wheel(index, "tool", "1.0", {"tool.py": ""})
    root = sources("tool==1.0")
    first, _ = build(root, tmp_path)
    next(own_cache.rglob("*.whl")).write_bytes(damage)

    second, lines = build(root, tmp_path)

    assert first == second
    assert "processor: tool-1.0-py3-none-any.whl is damaged in the cache; downloading again" in lines
    assert "processor: fetching tool==1.0 for python3.13 on arm64" in lines


def test_a_damaged_list_in_the_cache_is_fetched_again(index, own_cache, sources, tmp_path):
    make_wheel(index, "tool", "1.0", {"tool.py": ""})
    root = sources("tool==1.0")
    first, _ = build(root, tmp_path)
    next(own_cache.rglob("wheels.json")).write_text("[")

    assert first == build(root, tmp_path)[0]


def test_a_cache_that_cannot_be_written_is_done_without(index, sources, tmp_path, monkeypatch):
    make_wheel(index, "tool", "1.0", {"tool.py": ""})
    monkeypatch.setenv("IMGPIPE_CACHE_DIR", "/dev/null/cache")

    assert [str(wheel) for wheel in build(sources("tool==1.0"), tmp_path)[0].wheels] == ["tool 1.0"]


def test_dependencies_of_wheels_are_included_when_they_are_pinned(index, sources, tmp_path):
    make_wheel(index, "tool", "1.0", {"tool.py": ""}, requires=["part>=2; python_version>='3.12'", "dev; extra=='dev'"])
    make_wheel(index, "part", "2.1", {"part.py": ""})

    package, _ = build(sources("tool==1.0\npart==2.1\n"), tmp_path)

    assert [str(wheel) for wheel in package.wheels] == ["part 2.1", "tool 1.0"]


def test_a_dependency_that_is_not_pinned_is_refused_with_the_line_to_add(index, sources, tmp_path):
    make_wheel(index, "tool", "1.0", {"tool.py": ""}, requires=["part>=2"])
    make_wheel(index, "part", "2.1", {"part.py": ""})

    assert failure_of(sources("tool==1.0"), tmp_path) == [
        "processor/requirements.txt: part==2.1: required by tool 1.0 but not pinned; "
        "add this line to make builds reproducible"
    ]


def test_a_dependency_that_only_the_target_has_is_not_forgotten(index, sources, tmp_path):
    other = "x86_64" if Target.of_interpreter(sys.executable).architecture == "arm64" else "arm64"
    target = Target("python3.13", other)
    make_wheel(index, "tool", "1.0", {"tool.py": ""}, requires=[f"part; platform_machine=='{target.machine}'"])

    assert failure_of(sources("tool==1.0"), tmp_path, target) == [
        f"processor/requirements.txt: part: required by tool 1.0 on {target} but missing; add part==<version>"
    ]


def test_a_dependency_that_only_the_building_interpreter_has_is_left_out(index, sources, tmp_path):
    mine = "{}.{}".format(*sys.version_info)
    target = Target("python3.12" if mine != "3.12" else "python3.13", "arm64")
    make_wheel(index, "tool", "1.0", {"tool.py": ""}, requires=[f"part; python_version=='{mine}'"])
    make_wheel(index, "part", "2.1", {"part.py": ""})

    package, _ = build(sources("tool==1.0"), tmp_path, target)

    assert [str(wheel) for wheel in package.wheels] == ["tool 1.0"]


def test_extras_include_their_dependencies(index, sources, tmp_path):
    make_wheel(index, "tool", "1.0", {"tool.py": ""}, requires=["part; extra=='fast'"])
    make_wheel(index, "part", "2.1", {"part.py": ""})

    package, _ = build(sources("tool[fast]==1.0\npart==2.1"), tmp_path)

    assert [str(wheel) for wheel in package.wheels] == ["part 2.1", "tool 1.0"]


def test_markers_of_the_requirements_are_those_of_the_target(sources):
    path = sources("a==1; python_version=='3.13'\nb==1; python_version<'3.13'\nc==1; platform_machine=='aarch64'\n")

    found = read_requirements(path / "processor" / "requirements.txt", TARGET, "r.txt")

    assert [pin.line for pin in found] == ["a==1", "c==1"]


def test_comments_hashes_and_continued_lines_are_read(sources):
    path = sources("# the decoder\nPillow==13.0.0 \\\n    --hash=sha256:bb \\\n    --hash=sha256:aa  # both\n\n")

    (pin,) = read_requirements(path / "processor" / "requirements.txt", TARGET, "r.txt")

    assert pin.line == "pillow==13.0.0 --hash=sha256:aa --hash=sha256:bb"


def test_every_line_that_is_not_an_exact_pin_is_named(sources, tmp_path):
    text = "pillow>=12\nboto3\n-r other.txt\nnumpy==2.*\ntool @ https://example.com/tool.whl\n"

    assert failure_of(sources(text), tmp_path) == [
        "processor/requirements.txt: pillow>=12: not an exact pin; "
        "expected pillow==<version>, which makes builds reproducible",
        "processor/requirements.txt: boto3: not an exact pin; "
        "expected boto3==<version>, which makes builds reproducible",
        "processor/requirements.txt: -r other.txt: not a requirement; expected <name>==<version>",
        "processor/requirements.txt: numpy==2.*: not an exact pin; "
        "expected numpy==<version>, which makes builds reproducible",
        "processor/requirements.txt: tool @ https://example.com/tool.whl: not an exact pin; "
        "expected tool==<version>, which makes builds reproducible",
    ]


@pytest.mark.usefixtures("index")
def test_a_version_without_wheels_is_named_with_what_pip_said(sources, tmp_path):
    assert failure_of(sources("pillow==0.0.1"), tmp_path) == [
        "processor/requirements.txt: pillow==0.0.1: pip finds no wheels for python3.13 on arm64 "
        "(No matching distribution found for pillow==0.0.1); "
        "expected versions with a wheel for python3.13 on arm64 and glibc 2.34 or older"
    ]


def test_a_wheel_for_a_newer_c_library_is_not_taken(index, sources, tmp_path):
    make_wheel(index, "tool", "1.0", {"tool.py": ""}, tag="cp313-cp313-manylinux_2_35_aarch64")

    (line,) = failure_of(sources("tool==1.0"), tmp_path)

    assert "No matching distribution found for tool==1.0" in line


def test_a_wheel_with_another_hash_than_required_is_refused(index, sources, tmp_path):
    make_wheel(index, "tool", "1.0", {"tool.py": ""})

    (line,) = failure_of(sources(f"tool==1.0 --hash=sha256:{'0' * 64}"), tmp_path)

    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in line


@pytest.mark.usefixtures("own_cache")
def test_an_index_that_does_not_answer_is_said(sources, tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")

    (line,) = failure_of(sources("pillow==13.0.0"), tmp_path)

    assert line.endswith("the package index did not respond: check the network and pip's configuration")


@pytest.mark.usefixtures("own_cache")
def test_an_interpreter_without_pip_is_said(sources, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    python = str(tmp_path / "bare" / "bin" / "python")
    pins = read_requirements(sources("tool==1.0") / "processor" / "requirements.txt", TARGET, "r.txt")

    with pytest.raises(PackagingError) as failure:
        fetch_wheels(pins, TARGET, label="r.txt", report=lambda _: None, python=python)

    assert (
        str(failure.value)
        == f"{python}: pip: not installed for this interpreter; install it with '{python} -m ensurepip'"
    )


def rewritten(path, change):
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**contents, **change}.items():
            archive.writestr(name, content)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"tool.py": b"tampered"}, "tool.py: differs from its hash in RECORD"),
        ({"more.py": b""}, "more.py: missing in RECORD"),
        ({"../more.py": b""}, "../more.py: points outside of the package"),
    ],
)
def test_a_wheel_that_differs_from_its_record_is_refused(index, sources, tmp_path, change, problem):
    rewritten(make_wheel(index, "tool", "1.0", {"tool.py": ""}), change)

    with pytest.raises(PackagingError) as failure:
        build(sources("tool==1.0"), tmp_path)

    expected = f"tool-1.0-py3-none-any.whl: {problem}; expected a wheel as its index published it"
    assert str(failure.value) == expected
