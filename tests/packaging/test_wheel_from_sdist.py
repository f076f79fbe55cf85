"""What is published as source alone goes in as it is, without being built."""

from __future__ import annotations

import io
import tarfile
import zipfile

import pytest

from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging import Target, build_package
from imgpipe_templates.packaging.wheel_from_sdist import wheel_from_sdist
from tests.packaging.samples import SOURCE_ONLY, make_sdist, make_wheel

TARGET = Target("python3.13", "arm64")
PURE = {
    "tool/__init__.py": "A = 1\n",
    "tool/data.txt": "data",
    "tests/test_tool.py": "",
    "setup.py": "raise SystemExit",
}


def problem_of(path):
    with pytest.raises(PackagingError) as failure:
        wheel_from_sdist(path.name, path.read_bytes())
    return str(failure.value)


def test_the_package_of_a_source_distribution_goes_in_and_nothing_else_of_it(index, sources, tmp_path):
    make_sdist(index, "tool", "1.0", PURE)
    lines = []

    how = {"contents": SOURCE_ONLY, "sources": sources("tool==1.0\n--no-binary tool"), "report": lines.append}
    package = build_package("processor", TARGET, tmp_path / "out", **how)

    with zipfile.ZipFile(package.path) as archive:
        names = [name for name in archive.namelist() if name.startswith("to")]
        record = archive.read("tool-1.0.dist-info/RECORD").decode()
    assert names == [
        "tool-1.0.dist-info/METADATA",
        "tool-1.0.dist-info/RECORD",
        "tool-1.0.dist-info/WHEEL",
        "tool-1.0.dist-info/licenses/LICENSE",
        "tool/__init__.py",
        "tool/data.txt",
    ]
    assert {line.split(",")[0] for line in record.splitlines()} == set(names)
    assert "processor: converting tool-1.0.tar.gz to tool-1.0-py3-none-any.whl" in lines


def test_a_wheel_is_taken_unless_the_requirements_ask_for_the_source(index, sources, tmp_path):
    make_sdist(index, "tool", "1.0", PURE)
    make_wheel(index, "tool", "1.0", {"tool.py": ""})

    of_wheel = build_package("processor", TARGET, tmp_path / "a", sources=sources("tool==1.0"))
    text = "# why\n--no-binary=tool\ntool==1.0"
    (tmp_path / "lambda" / "processor" / "requirements.txt").write_text(text)
    of_source = build_package("processor", TARGET, tmp_path / "b", sources=tmp_path / "lambda")

    with zipfile.ZipFile(of_wheel.path) as one, zipfile.ZipFile(of_source.path) as other:
        assert "tool.py" in one.namelist()
        assert "tool/__init__.py" in other.namelist()


def test_what_a_source_distribution_needs_has_to_be_pinned(index, sources, tmp_path):
    make_sdist(index, "tool", "1.0", PURE, requires=["part"])

    with pytest.raises(PackagingError) as failure:
        build_package("processor", TARGET, tmp_path / "out", sources=sources("tool==1.0\n--no-binary tool"))

    assert str(failure.value) == (
        "processor/requirements.txt: part: required by tool 1.0 on python3.13 on arm64 but missing; add part==<version>"
    )


@pytest.mark.usefixtures("index")
def test_a_missing_source_distribution_is_said(sources, tmp_path):
    with pytest.raises(PackagingError) as failure:
        build_package("processor", TARGET, tmp_path / "out", sources=sources("tool==1.0\n--no-binary tool"))

    assert str(failure.value) == (
        "processor/requirements.txt: tool==1.0: pip finds no source distribution "
        "(No matching distribution found for tool==1.0); expected versions with a source distribution"
    )


def test_the_made_wheel_depends_on_the_source_distribution_alone(tmp_path):
    path = make_sdist(tmp_path, "tool", "1.0", PURE)

    assert wheel_from_sdist(path.name, path.read_bytes()) == wheel_from_sdist(path.name, path.read_bytes())


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"tool/__init__.py": "", "tool/fast.pyx": ""}, "tool/fast.pyx: requires compilation"),
        ({"tool.py": ""}, "tool/__init__.py: is missing"),
    ],
)
def test_a_source_distribution_that_has_to_be_built_is_refused(tmp_path, files, problem):
    path = make_sdist(tmp_path, "tool", "1.0", files)

    assert problem_of(path) == f"tool-1.0.tar.gz: {problem}; expected a pure-Python source distribution"


def test_a_damaged_source_distribution_is_refused(tmp_path):
    path = tmp_path / "tool-1.0.tar.gz"
    path.write_bytes(b"no archive")

    assert problem_of(path).startswith("tool-1.0.tar.gz: contents: cannot be read (not a gzip file")


def test_paths_that_lead_out_of_a_source_distribution_and_links_are_left(tmp_path):
    path = make_sdist(tmp_path, "tool", "1.0", PURE | {"tool/../../evil.py": ""})
    link = tarfile.TarInfo("tool-1.0/tool/passwords.py")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    buffer = io.BytesIO()
    with tarfile.open(path) as old, tarfile.open(fileobj=buffer, mode="w:gz") as new:
        for member in old.getmembers():
            new.addfile(member, old.extractfile(member))
        new.addfile(link)

    _, content = wheel_from_sdist(path.name, buffer.getvalue())

    with zipfile.ZipFile(io.BytesIO(content)) as wheel:
        assert [name for name in wheel.namelist() if name.endswith(".py")] == ["tool/__init__.py"]
