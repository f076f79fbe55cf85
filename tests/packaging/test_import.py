"""A package, alone or with its layer, imports on a real interpreter that sees nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging import LAMBDA_RUNTIMES, Contents, Target, build_package

SCRIPT = """
import io, sys
sys.path[:0] = sys.argv[1:]
import index
from PIL import Image, ImageCms, JpegImagePlugin, PngImagePlugin, WebPImagePlugin, features
image = Image.new("RGB", (300, 200), "red")
for kind in ("JPEG", "PNG", "WEBP", "AVIF"):
    buffer = io.BytesIO()
    image.save(buffer, kind)
    again = Image.open(io.BytesIO(buffer.getvalue()))
    again.thumbnail((100, 100))
    assert again.size == (100, 67), again.size
assert Image.__file__.startswith(sys.argv[-1] + "/PIL/"), Image.__file__
print(index.lambda_handler({"ok": True}, None), features.check("littlecms2"))
"""


EXTRAS_SCRIPT = """
import sys
sys.path[:0] = sys.argv[1:]
import pi_heif, pyvips
image = pyvips.Image.black(300, 200, bands=3).jpegsave_buffer()
small = pyvips.Image.thumbnail_buffer(image, 100)
loaders = [pyvips.type_find("VipsForeignLoad", name) for name in ("jpegload", "pngload", "webpload", "heifload")]
assert all(module.__file__.startswith(sys.argv[-1]) for module in (pi_heif, pyvips))
print(pyvips.API_mode, (small.width, small.height), all(loaders), *pi_heif.libheif_info()["decoders"])
"""


def lambda_interpreter():
    """An interpreter of this machine that Lambda has too, newest first; else the one that runs the tests."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    for runtime in reversed(LAMBDA_RUNTIMES):
        found = shutil.which(runtime)
        installed = sorted(versions.glob(f"{runtime.removeprefix('python')}.*/bin/python"))
        for python in ([found] if found else []) + installed:
            try:
                own = Target.of_interpreter(str(python))
            except PackagingError:
                continue
            if own.runtime == runtime:
                return str(python), Target(runtime, own.architecture)
    return own_interpreter()


def own_interpreter():
    return sys.executable, Target.of_interpreter(sys.executable)


def unzipped(path, folder):
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    return folder


def answer_of(python, script, *folders):
    """What the script says, and complains of, with these folders before the standard library."""
    command = [python, "-I", "-S", "-B", "-c", script, *folders]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.stdout, answer.stderr


@pytest.mark.parametrize("find", [lambda_interpreter, own_interpreter])
def test_pillow_imports_and_works_from_the_unzipped_package_alone(pillow_package, tmp_path, find):
    python, target = find()
    package = unzipped(pillow_package(target).path, tmp_path)

    assert answer_of(python, SCRIPT, package) == ("{'ok': True} True\n", "")


@pytest.mark.parametrize("find", [lambda_interpreter, own_interpreter])
def test_libvips_and_the_decoder_of_heic_load_from_the_unzipped_package_alone(tmp_path, find):
    python, target = find()
    built = build_package("processor", target, tmp_path, contents=Contents(extras=("heic", "libvips")))
    package = unzipped(built.path, tmp_path / "task")

    assert answer_of(python, EXTRAS_SCRIPT, package) == ("True (100, 67) True libde265\n", "")


def test_pillow_can_be_imported_from_the_layer(pillow_layer, tmp_path):
    python, target = lambda_interpreter()
    layer, package = pillow_layer(target)
    processor = build_package("processor", target, tmp_path, dependencies=False, layers=[layer])
    below_opt = unzipped(layer.path, tmp_path / "opt") / "python"
    task = unzipped(package.path, tmp_path / "task")
    projects_own = unzipped(processor.path, tmp_path / "own")
    script = "import sys; sys.path[:0] = sys.argv[1:]; import imgpipe_processor.imaging, PIL; print(PIL.__file__)"

    assert answer_of(python, SCRIPT, task, below_opt) == ("{'ok': True} True\n", "")
    assert answer_of(python, script, projects_own, below_opt) == (f"{below_opt}/PIL/__init__.py\n", "")
    assert "No module named 'PIL'" in answer_of(python, script, projects_own)[1]
