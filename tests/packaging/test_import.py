"""A package imports on a real interpreter that sees nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging import LAMBDA_RUNTIMES, Target

SCRIPT = """
import io, sys
sys.path.insert(0, sys.argv[1])
import index
from PIL import Image, ImageCms, JpegImagePlugin, PngImagePlugin, WebPImagePlugin, features
image = Image.new("RGB", (300, 200), "red")
for kind in ("JPEG", "PNG", "WEBP", "AVIF"):
    buffer = io.BytesIO()
    image.save(buffer, kind)
    again = Image.open(io.BytesIO(buffer.getvalue()))
    again.thumbnail((100, 100))
    assert again.size == (100, 67), again.size
assert Image.__file__.startswith(sys.argv[1])
print(index.lambda_handler({"ok": True}, None), features.check("littlecms2"))
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


@pytest.mark.parametrize("find", [lambda_interpreter, own_interpreter])
def test_pillow_imports_and_works_from_the_unzipped_package_alone(pillow_package, tmp_path, find):
    python, target = find()
    with zipfile.ZipFile(pillow_package(target).path) as archive:
        archive.extractall(tmp_path)

    answer = subprocess.run(
        [python, "-I", "-S", "-B", "-c", SCRIPT, tmp_path], capture_output=True, text=True, check=False
    )

    assert (answer.stdout, answer.stderr) == ("{'ok': True} True\n", "")
