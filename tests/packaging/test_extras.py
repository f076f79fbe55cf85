"""What only some configurations need comes with its own requirements, into the package or into the layer."""

from __future__ import annotations

import zipfile

import pytest

from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging import LAMBDA_RUNTIMES, Contents, Target, build_layer, build_package
from tests.packaging.samples import make_wheel

X86 = Target("python3.13", "x86_64")
SHARP = Contents(extras=("sharp",))
ALL = Contents(extras=("heic", "libvips"))
NATIVE = {
    "_libvips.abi3.so",
    "_cffi_backend.cpython-{}-{}-linux-gnu.so",
    "_pi_heif.cpython-{}-{}-linux-gnu.so",
    "PIL/_imaging.cpython-{}-{}-linux-gnu.so",
}


@pytest.fixture
def with_extra(index, sources):
    make_wheel(index, "tool", "1.0", {"tool.py": ""})
    make_wheel(index, "sharp", "2.0", {"sharp.py": ""}, requires=["tool"])
    return sources("tool==1.0", sharp="sharp==2.0")


def wheels(package):
    return [str(wheel) for wheel in package.wheels]


def names(path):
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


def test_an_extra_is_in_the_package_only_where_it_is_asked_for(with_extra, tmp_path):
    plain = build_package("processor", X86, tmp_path / "plain", sources=with_extra)
    more = build_package("processor", X86, tmp_path / "more", contents=SHARP, sources=with_extra)

    assert (wheels(plain), wheels(more)) == (["tool 1.0"], ["sharp 2.0", "tool 1.0"])
    assert "sharp.py" in names(more.path) - names(plain.path)
    assert not [name for name in names(more.path) if "requirements" in name]


def test_an_extra_is_in_the_layer_and_left_out_of_the_package(with_extra, tmp_path):
    layer = build_layer("processor", X86, tmp_path / "layers", contents=SHARP, sources=with_extra)
    package = build_package(
        "processor", X86, tmp_path, dependencies=False, contents=SHARP, layers=[layer], sources=with_extra
    )

    assert wheels(layer) == ["sharp 2.0", "tool 1.0"]
    assert (package.wheels, package.left_out) == ((), ("sharp==2.0", "tool==1.0"))


def test_a_layer_without_the_extra_that_the_function_wants_is_refused(with_extra, tmp_path):
    layer = build_layer("processor", X86, tmp_path / "layers", sources=with_extra)

    with pytest.raises(PackagingError) as failure:
        build_package(
            "processor", X86, tmp_path, dependencies=False, contents=SHARP, layers=[layer], sources=with_extra
        )

    assert str(failure.value) == (
        "processor/requirements.txt, processor/requirements-sharp.txt: sharp==2.0: missing in the function's layers "
        "(found: none); expected a layer of the same requirements"
    )


@pytest.mark.parametrize(
    ("extras", "expected"),
    [({}, "the function has no extras"), ({"b": "", "a": ""}, "expected a or b")],
    ids=["none", "two"],
)
def test_an_unknown_extra_is_refused_with_those_that_there_are(sources, tmp_path, extras, expected):
    with pytest.raises(PackagingError) as failure:
        build_package("processor", X86, tmp_path, contents=SHARP, sources=sources(**extras))

    assert str(failure.value) == f"processor: sharp: unknown extra; {expected}"


@pytest.mark.parametrize(
    ("runtime", "architecture"), [*zip(LAMBDA_RUNTIMES, ["arm64", "x86_64", "arm64"], strict=True)]
)
def test_the_processor_of_this_project_can_be_packaged_with_everything(tmp_path, runtime, architecture):
    target = Target(runtime, architecture)

    package = build_package("processor", target, tmp_path, contents=ALL)

    tag = (runtime.removeprefix("python").replace(".", ""), target.machine)
    assert {name.format(*tag) for name in NATIVE} <= names(package.path)
    assert package.unzipped_bytes < 60_000_000
