"""Sources to package, pip without a network, and packages with the real Pillow, built once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from imgpipe_templates.packaging import Target, build_layer, build_package
from tests.packaging.samples import SOURCE_ONLY, write_function


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """An empty cache for one test."""
    monkeypatch.setenv("IMGPIPE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def index(tmp_path, monkeypatch, own_cache):  # noqa: ARG001 - marks do not work on fixtures
    """A folder that is pip's only source of wheels, by the user's own pip configuration; no network."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture(scope="session")
def pillow_sources(tmp_path_factory):
    return write_function(tmp_path_factory.mktemp("lambda"), "pillow==13.0.0")


@pytest.fixture(scope="session")
def pillow_package(pillow_sources, tmp_path_factory):
    """A function: runtime and architecture -> the package with Pillow."""
    root = tmp_path_factory.mktemp("packages")

    @cache
    def package(target: Target):
        return build_package("processor", target, root / str(target), contents=SOURCE_ONLY, sources=pillow_sources)

    return package


@pytest.fixture(scope="session")
def pillow_layer(pillow_sources, tmp_path_factory):
    """A function: runtime and architecture -> the layer with Pillow, and the function's package without it."""
    root = tmp_path_factory.mktemp("layers")

    @cache
    def layered(target: Target):
        how = {"contents": SOURCE_ONLY, "sources": pillow_sources}
        layer = build_layer("processor", target, root / str(target) / "layers", **how)
        out = root / str(target) / "functions"
        return layer, build_package("processor", target, out, dependencies=False, layers=[layer], **how)

    return layered


@pytest.fixture
def sources(tmp_path):
    """A function: text of requirements.txt, and of each extra's, -> the folder of sources."""

    def write(requirements="", **extras) -> Path:
        return write_function(tmp_path / "lambda", requirements, **extras)

    return write
