"""Sources of a function and wheels, made by hand."""

from __future__ import annotations

import base64
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import zipfile

from imgpipe_templates.packaging import Contents

SOURCE_ONLY = Contents(bytecode="none")  # what is in a package does not depend then on the Pythons of the machine


def write_function(root, requirements="", name="processor", **extras):
    folder = root / name
    (folder / "thumbs" / "__pycache__").mkdir(parents=True)
    (folder / "tests").mkdir()
    (folder / "index.py").write_text("from thumbs.handler import lambda_handler\n")
    (folder / "thumbs" / "__init__.py").write_text("")
    (folder / "thumbs" / "handler.py").write_text("def lambda_handler(event, context):\n    return event\n")
    (folder / "thumbs" / "__pycache__" / "handler.cpython-311.pyc").write_bytes(b"stale")
    (folder / "tests" / "test_handler.py").write_text("")
    (folder / ".hidden").write_text("")
    (folder / "requirements.txt").write_text(requirements)
    for extra, pins in extras.items():
        (folder / f"requirements-{extra}.txt").write_text(pins)
    return root


def make_wheel(folder, name, version, files, *, requires=(), tag="py3-none-any"):
    info = f"{name}-{version}.dist-info"
    metadata = "".join(["Metadata-Version: 2.1\n", f"Name: {name}\nVersion: {version}\n"])
    metadata += "".join(f"Requires-Dist: {line}\n" for line in requires)
    contents = {
        **files,
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/licenses/LICENSE": "Do what you like.\n",
    }
    record = ""
    for path, text in contents.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text)}\n"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for inside, text in {**contents, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(inside, text)
    return path


BACKEND = """
import pathlib
def prepare_metadata_for_build_wheel(folder, settings=None):
    pathlib.Path(folder, "{info}").mkdir()
    pathlib.Path(folder, "{info}", "METADATA").write_text(pathlib.Path("PKG-INFO").read_text())
    return "{info}"
"""


def make_sdist(folder, name, version, files, *, requires=()):
    """A source distribution whose metadata pip can read without a network."""
    stem = f"{name}-{version}"
    metadata = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nLicense-File: LICENSE\n"
    contents = {
        **files,
        "PKG-INFO": metadata + "".join(f"Requires-Dist: {line}\n" for line in requires),
        "LICENSE": "Do what you like.\n",
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "backend.py": BACKEND.format(info=f"{stem}.dist-info"),
    }
    path = folder / f"{stem}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for inside, text in contents.items():
            info = tarfile.TarInfo(f"{stem}/{inside}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return path


def run_elsewhere(script, *arguments, folder):
    """Run a script in `folder` by a process of another umask, time zone and hash seed."""
    subprocess.run(
        [sys.executable, "-c", script, *arguments],
        check=True,
        cwd=folder,
        umask=0o077,
        env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "PYTHONPATH": os.pathsep.join(sys.path)},
    )
