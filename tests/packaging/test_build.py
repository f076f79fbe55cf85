"""The contents of packages, which are the same on every build."""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import stat
import zipfile

import pytest

from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging import Target, build_package
from tests.packaging.samples import SOURCE_ONLY, make_wheel, run_elsewhere

X86 = Target("python3.13", "x86_64")


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
@pytest.mark.parametrize("runtime", ["python3.12", "python3.13"])
def test_package_holds_the_function_and_its_wheels_for_runtime_and_architecture(pillow_package, runtime, architecture):
    package = pillow_package(Target(runtime, architecture))
    tag, machine = runtime.replace("python3.", "cpython-3"), {"arm64": "aarch64"}.get(architecture, architecture)

    with zipfile.ZipFile(package.path) as archive:
        names = set(archive.namelist())
        sizes = sum(info.file_size for info in archive.infolist())

    assert {
        "index.py",
        "thumbs/__init__.py",
        "thumbs/handler.py",
        f"PIL/_imaging.{tag}-{machine}-linux-gnu.so",
        "pillow-13.0.0.dist-info/METADATA",
        "pillow-13.0.0.dist-info/WHEEL",
        "pillow-13.0.0.dist-info/licenses/LICENSE",
    } <= names
    assert not [name for name in names if re.search(r"requirements.txt|__pycache__|(^|/)tests/|\.hidden|\.pyi$", name)]
    assert [str(wheel) for wheel in package.wheels] == ["pillow 13.0.0"]
    assert package.files == len(names)
    assert package.unzipped_bytes == sizes
    assert package.zipped_bytes == package.path.stat().st_size < 8_000_000
    assert package.sha256 == hashlib.sha256(package.path.read_bytes()).hexdigest()


def test_a_package_has_the_same_bytes_from_any_place_time_zone_umask_and_hash_seed(
    pillow_package, pillow_sources, tmp_path
):
    moved = shutil.copytree(pillow_sources, tmp_path / "elsewhere")
    for file in moved.rglob("*"):
        file.chmod(0o700)
        os.utime(file, (1_700_000_000, 1_700_000_000))
    script = (
        "import sys; from pathlib import Path; from imgpipe_templates.packaging import Target, build_package\n"
        "from tests.packaging.samples import SOURCE_ONLY\n"
        "target, how = Target('python3.13', 'x86_64'), {'contents': SOURCE_ONLY, 'sources': Path(sys.argv[1])}\n"
        "build_package('processor', target, Path('out'), **how)"
    )

    run_elsewhere(script, moved, folder=tmp_path)

    assert pillow_package(X86).path.read_bytes() == (tmp_path / "out" / "processor.zip").read_bytes()


def test_entries_are_sorted_dated_1980_plain_files_and_nothing_is_deflated_here(pillow_package):
    package = pillow_package(X86)
    wheel = io.BytesIO(package.wheels[0].content)

    with zipfile.ZipFile(package.path) as archive, zipfile.ZipFile(wheel) as original:
        infos = archive.infolist()
        assert archive.testzip() is None
        compressed = {info.filename: info.compress_size for info in original.infolist()}

    assert [info.filename for info in infos] == sorted(info.filename for info in infos)
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert {info.create_system for info in infos} == {3}
    assert {oct(info.external_attr >> 16) for info in infos} == {oct(stat.S_IFREG | 0o644), oct(stat.S_IFREG | 0o755)}
    assert not any(info.extra or info.comment or info.flag_bits for info in infos)
    own = {info.filename for info in infos if not info.filename.startswith(("PIL", "pillow"))}
    assert {info.compress_type for info in infos if info.filename in own} == {zipfile.ZIP_STORED}
    assert all(
        info.compress_size == compressed[info.filename]
        for info in infos
        if info.filename not in own and not info.filename.endswith("/RECORD")
    )


def test_record_lists_what_is_shipped(pillow_package):
    with zipfile.ZipFile(pillow_package(X86).path) as archive:
        record = archive.read("pillow-13.0.0.dist-info/RECORD").decode()
        shipped = {name for name in archive.namelist() if name.startswith(("PIL/", "pillow"))}

    assert {line.split(",")[0] for line in record.splitlines()} == shipped


def test_data_folders_of_a_wheel_are_put_where_they_can_be_imported(index, sources, tmp_path):
    files = {
        "tool.py": "",
        "tool-1.0.data/purelib/pure.py": "",
        "tool-1.0.data/platlib/native/__init__.py": "",
        "tool-1.0.data/scripts/tool": "#!python\n",
    }
    make_wheel(index, "tool", "1.0", files)

    package = build_package("processor", X86, tmp_path, sources=sources("tool==1.0"))

    with zipfile.ZipFile(package.path) as archive:
        assert {"tool.py", "pure.py", "native/__init__.py"} <= set(archive.namelist())
        assert not [name for name in archive.namelist() if ".data/" in name]


@pytest.mark.usefixtures("index")
def test_a_function_without_requirements_needs_no_wheels(sources, tmp_path):
    package = build_package("processor", X86, tmp_path, contents=SOURCE_ONLY, sources=sources())

    assert (package.files, package.wheels) == (3, ())


def test_every_step_is_reported(index, sources, tmp_path):
    make_wheel(index, "tool", "1.0", {"tool.py": ""})
    lines = []

    build_package("processor", X86, tmp_path, contents=SOURCE_ONLY, sources=sources("tool==1.0"), report=lines.append)

    assert lines == [
        "processor: fetching tool==1.0 for python3.13 on x86_64",
        "processor: adding tool 1.0 (tool-1.0-py3-none-any.whl)",
        "processor: verifying for python3.13 on x86_64",
    ]


def test_an_interrupted_build_leaves_the_earlier_package_and_nothing_else(sources, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "processor.zip").write_text("earlier")

    def interrupt(line):
        if "verifying" in line:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_package("processor", X86, out, sources=sources(), report=interrupt)

    assert {path.name: path.read_text() for path in out.iterdir()} == {"processor.zip": "earlier"}


def test_a_package_with_faults_is_not_written_and_says_them_under_its_own_name(sources, tmp_path):
    root = sources()
    (root / "processor" / "index.py").write_text("def handler(event, context): ...\n")
    (root / "processor" / "native.so").write_bytes(b"MZ")

    with pytest.raises(PackagingError) as failure:
        build_package("processor", X86, tmp_path / "out", sources=root)

    assert str(failure.value).splitlines() == [
        "processor.zip: native.so: is not an ELF file; expected a library for Linux",
        "processor.zip: index.py: does not define lambda_handler; expected a definition or import of it",
    ]
    assert not list((tmp_path / "out").iterdir())


def test_a_file_that_is_in_two_wheels_differently_is_refused(index, sources, tmp_path):
    make_wheel(index, "one", "1.0", {"shared.py": "1"})
    make_wheel(index, "two", "1.0", {"shared.py": "2"})

    with pytest.raises(PackagingError) as failure:
        build_package("processor", X86, tmp_path, sources=sources("one==1.0\ntwo==1.0"))

    assert (
        str(failure.value)
        == "package: shared.py: differs between one 1.0 and two 1.0; expected the file in one of them"
    )


def test_a_destination_that_cannot_be_written_is_an_error_with_its_path(sources, tmp_path):
    (tmp_path / "out").write_text("a file")

    with pytest.raises(PackagingError, match=r"out/processor.zip: package: cannot be written \(.*exists"):
        build_package("processor", X86, tmp_path / "out", sources=sources())
