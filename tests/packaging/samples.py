"""Sources of a function and wheels, made by hand."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import zipfile


def write_function(root, requirements="", name="processor"):
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


def run_elsewhere(script, *arguments, folder):
    """Run a script in `folder` by a process of another umask, time zone and hash seed."""
    subprocess.run(
        [sys.executable, "-c", script, *arguments],
        check=True,
        cwd=folder,
        umask=0o077,
        env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "PYTHONPATH": os.pathsep.join(sys.path)},
    )
