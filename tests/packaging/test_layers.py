"""The contents of layers, which are the same on every build, and of packages with a layer."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import replace

import pytest

from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging import UNZIPPED_LIMIT_BYTES, Target, build_layer, build_package
from tests.packaging.samples import SOURCE_ONLY, make_wheel, run_elsewhere

ARCHITECTURES = ("arm64", "x86_64")
X86 = Target("python3.13", "x86_64")


def contents(path):
    with zipfile.ZipFile(path) as archive:
        return {info.filename: (info.CRC, info.file_size, info.external_attr) for info in archive.infolist()}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_layer_and_package_hold_together_what_the_package_holds_alone(pillow_package, pillow_layer, architecture):
    target = Target("python3.13", architecture)
    alone = pillow_package(target)
    layer, package = pillow_layer(target)

    in_layer, own = contents(layer.path), contents(package.path)

    assert f"python/PIL/_imaging.cpython-313-{target.machine}-linux-gnu.so" in in_layer
    assert all(name.startswith("python/") for name in in_layer)
    assert contents(alone.path) == own | {name.removeprefix("python/"): file for name, file in in_layer.items()}
    assert list(own) == ["index.py", "thumbs/__init__.py", "thumbs/handler.py"]
    assert (layer.wheels, package.wheels, package.left_out) == (alone.wheels, (), ("pillow==13.0.0",))
    assert alone.unzipped_bytes == layer.unzipped_bytes + package.unzipped_bytes


def test_layer_has_the_same_bytes_for_any_place_and_function(pillow_layer, pillow_sources, tmp_path):
    moved = shutil.copytree(pillow_sources, tmp_path / "elsewhere")
    (moved / "processor" / "index.py").write_text("def lambda_handler(event, context): ...\n")
    script = (
        "import sys; from pathlib import Path; from imgpipe_templates.packaging import Target, build_layer\n"
        "from tests.packaging.samples import SOURCE_ONLY\n"
        f"for architecture in {ARCHITECTURES}:\n"
        "    how = {'contents': SOURCE_ONLY, 'sources': Path(sys.argv[1])}\n"
        "    build_layer('processor', Target('python3.13', architecture), Path(architecture), **how)"
    )

    run_elsewhere(script, moved, folder=tmp_path)

    for architecture in ARCHITECTURES:
        layer, _ = pillow_layer(Target("python3.13", architecture))
        assert layer.path.read_bytes() == (tmp_path / architecture / "processor.zip").read_bytes()


def test_entries_of_a_layer_are_sorted_and_its_files_are_where_their_record_says(pillow_layer):
    layer, _ = pillow_layer(X86)
    names = list(contents(layer.path))
    with zipfile.ZipFile(layer.path) as archive:
        record = archive.read("python/pillow-13.0.0.dist-info/RECORD").decode()

    assert names == sorted(names)
    assert {f"python/{line.split(',')[0]}" for line in record.splitlines()} == set(names)


@pytest.mark.parametrize(
    "requirements", ["", "# nothing: botocore comes with the runtime\n", "a==1; sys_platform=='win32'"]
)
def test_a_layer_of_nothing_is_refused(sources, tmp_path, requirements):
    with pytest.raises(PackagingError) as failure:
        build_layer("processor", X86, tmp_path / "out", sources=sources(requirements))

    assert str(failure.value) == (
        "processor/requirements.txt: no pins for python3.13 on x86_64; expected at least one for a layer"
    )
    assert not (tmp_path / "out").exists()


def test_a_function_that_requires_nothing_leaves_nothing_to_a_layer(sources, tmp_path):
    root = sources("# nothing\n")

    without = build_package("processor", X86, tmp_path / "without", dependencies=False, sources=root)
    with_them = build_package("processor", X86, tmp_path / "with", sources=root)

    assert without == replace(with_them, path=without.path)


@pytest.mark.usefixtures("index")
def test_a_function_with_an_existing_layer_needs_no_wheels_and_says_what_it_leaves_out(sources, tmp_path):
    lines = []

    how = {"contents": SOURCE_ONLY, "sources": sources("tool==1.0"), "report": lines.append}
    package = build_package("processor", X86, tmp_path, dependencies=False, **how)

    assert (package.files, package.left_out) == (3, ("tool==1.0",))
    assert lines[0] == "processor: leaving tool==1.0 to a layer"


def test_a_layer_for_another_target_or_of_other_requirements_is_refused(pillow_layer, sources, tmp_path):
    layer, _ = pillow_layer(X86)
    root = sources("Pillow==12.0.0\nmore==1.0")

    with pytest.raises(PackagingError) as failure:
        build_package("processor", Target(), tmp_path, dependencies=False, layers=[layer], sources=root)
    assert str(failure.value) == (
        "processor: processor layer: built for python3.13 on x86_64; expected python3.13 on arm64"
    )
    with pytest.raises(PackagingError) as failure:
        build_package("processor", X86, tmp_path, dependencies=False, layers=[layer], sources=root)
    assert str(failure.value).splitlines() == [
        "processor/requirements.txt: more==1.0: missing in the function's layers (found: none); "
        "expected a layer of the same requirements",
        "processor/requirements.txt: pillow==12.0.0: missing in the function's layers (found: 13.0.0); "
        "expected a layer of the same requirements",
    ]


def test_a_layer_and_its_function_count_together(pillow_layer, pillow_sources, tmp_path):
    layer, package = pillow_layer(X86)
    largest = replace(layer, unzipped_bytes=UNZIPPED_LIMIT_BYTES - package.unzipped_bytes)

    how = {"contents": SOURCE_ONLY, "sources": pillow_sources}
    with pytest.raises(PackagingError) as failure:
        build_package("processor", X86, tmp_path, dependencies=False, layers=[largest], **how)

    assert str(failure.value) == (
        f"processor.zip: package: {package.unzipped_bytes} bytes unzipped and its layers {largest.unzipped_bytes}; "
        "expected less than 262144000 bytes for a function and its layers"
    )


def test_a_layer_with_faults_is_not_written_and_says_them_under_its_own_name(index, sources, tmp_path):
    make_wheel(index, "tool", "1.0", {"tool/fast.so": "MZ"})

    with pytest.raises(PackagingError) as failure:
        build_layer("processor", X86, tmp_path / "out", sources=sources("tool==1.0"))

    assert str(failure.value) == (
        "processor layer: python/tool/fast.so (tool 1.0): is not an ELF file; expected a library for Linux"
    )
    assert not list((tmp_path / "out").iterdir())
