"""All code of some pipelines is built, each package once, or none is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imgpipe_templates.core.stack import FunctionCode, LayerCode
from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging import build_code
from imgpipe_templates.render.manifest import RenderedPipeline
from tests.packaging.samples import make_wheel, write_function

LAYER = LayerCode("pipeline", "Layer", "processor", "LayerCodeKey", "python3.13", "x86_64")
BUNDLED = FunctionCode("pipeline", "Function", "processor", "FunctionCodeKey", "python3.13", "x86_64")
LAYERED = replace(BUNDLED, dependencies="layer")


def pipeline(name, functions, layers=()):
    return RenderedPipeline(name, "single", stacks={}, deploy_order=(), functions=functions, layers=layers)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """The environment in which pip finds one wheel, with a cache for all tests here, because pip is slow."""
    folder = tmp_path_factory.mktemp("wheels")
    make_wheel(folder / "index", "tool", "1.0", {"tool.py": ""})
    make_wheel(folder / "index", "more", "1.0", {"more.py": ""})
    return {
        "IMGPIPE_CACHE_DIR": str(folder / "cache"),
        "PIP_FIND_LINKS": str(folder / "index"),
        "PIP_NO_INDEX": "1",
    }


@pytest.fixture
def build(tmp_path, wheels, monkeypatch):
    """A function: pipelines -> what was built, and the lines that were said."""
    for name, value in wheels.items():
        monkeypatch.setenv(name, value)
    root = write_function(tmp_path / "lambda", "tool==1.0", more="more==1.0")
    write_function(root, "", name="helper")
    write_function(root, "tool>=1", name="broken")

    def build_all(*pipelines):
        lines = []
        built = build_code(pipelines, tmp_path / "out", report=lines.append, sources=root)
        return built, lines

    return build_all


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_functions_and_layers_are_in_the_folder_of_their_pipeline(build, tmp_path):
    helper = replace(BUNDLED, package="helper")

    built, _ = build(pipeline("one", [BUNDLED, helper]), pipeline("two", [LAYERED], [LAYER]))

    paths = {name: [str(package.path.relative_to(tmp_path / "out")) for package in built[name]] for name in built}
    assert paths == {
        "one": ["one/functions/processor.zip", "one/functions/helper.zip"],
        "two": ["two/functions/processor.zip", "two/layers/processor.zip"],
    }
    assert sorted([*paths["one"], *paths["two"]]) == files(tmp_path / "out")
    assert [package.left_out for package in built["two"]] == [("tool==1.0",), ()]


def test_a_package_that_several_functions_run_is_built_once(build):
    built, lines = build(pipeline("one", [LAYERED, LAYERED], [LAYER, LAYER]))

    assert [(package.name, package.kind) for package in built["one"]] == [
        ("processor", "function"),
        ("processor", "layer"),
    ]
    assert len([line for line in lines if "verifying" in line]) == 2


def test_extras_of_a_pipeline_are_in_its_packages_and_layers(build):
    built, _ = build(
        pipeline("one", [replace(BUNDLED, extras=("more",))]),
        pipeline("two", [replace(LAYERED, extras=("more",))], [replace(LAYER, extras=("more",))]),
        pipeline("three", [BUNDLED]),
    )

    def with_more(package):
        return "more" in {wheel.name for wheel in package.wheels}

    assert {name: [with_more(package) for package in packages] for name, packages in built.items()} == {
        "one": [True],
        "two": [False, True],
        "three": [False],
    }


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"extras": ("more",)}, "required with extras none and more"),
        ({"dependencies": "layer"}, "required with dependencies package and layer"),
        ({"architecture": "arm64"}, "required with architecture x86_64 and arm64"),
        ({"runtime": "python3.12"}, "required with runtime python3.13 and python3.12"),
    ],
)
def test_one_package_wanted_in_two_ways_is_refused(build, tmp_path, change, problem):
    with pytest.raises(PackagingError) as failure:
        build(pipeline("one", [BUNDLED, replace(BUNDLED, **change)]))

    assert str(failure.value) == f"one: processor: {problem}; expected the same value for all functions that run it"
    assert not (tmp_path / "out").exists()


def test_function_is_built_with_the_layer_of_its_pipeline(build, tmp_path):
    with pytest.raises(PackagingError) as failure:
        build(pipeline("one", [replace(LAYERED, architecture="arm64")], [LAYER]))

    assert str(failure.value) == (
        "processor: processor layer: built for python3.13 on x86_64; expected python3.13 on arm64"
    )
    assert not (tmp_path / "out").exists()


def test_nothing_is_written_unless_all_can_be_built(build, tmp_path):
    broken = pipeline("two", [replace(BUNDLED, package="broken")])

    with pytest.raises(PackagingError, match=r"broken/requirements.txt: tool>=1: not an exact pin"):
        build(pipeline("one", [BUNDLED]), broken)
    assert {path.name for path in tmp_path.iterdir()} == {"lambda"}

    build(pipeline("two", [LAYERED]))
    before = (tmp_path / "out" / "two" / "functions" / "processor.zip").read_bytes()
    with pytest.raises(PackagingError):
        build(pipeline("two", [BUNDLED]), broken)
    assert files(tmp_path / "out") == ["two/functions/processor.zip"]
    assert before == (tmp_path / "out" / "two" / "functions" / "processor.zip").read_bytes()


def test_a_place_that_is_taken_is_an_error_with_its_path(build, tmp_path):
    taken = tmp_path / "out" / "one" / "functions" / "processor.zip"
    taken.mkdir(parents=True)

    with pytest.raises(
        PackagingError, match=r"out/one/functions/processor.zip: package: cannot be written \(.*directory"
    ):
        build(pipeline("one", [BUNDLED]))

    assert [path.name for path in (tmp_path / "out").iterdir()] == ["one"]
