"""What stands in for Lambda's /var/runtime: AWS's runtime interface client and boto3, and nothing else.

With the engine's own packages in reach a function would find what its package forgot.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from imgpipe_templates.cache import cache_dir
from imgpipe_templates.errors import LocalEngineError
from imgpipe_templates.local.interpreters import Interpreter

# botocore is pinned with boto3: functions shall not meet another one on the day a new one appears.
REQUIREMENTS = ("awslambdaric==4.2.2", "boto3==1.43.106", "botocore==1.43.106")

_INSTALL_SECONDS = 300


def runtime_folder(interpreter: Interpreter, *, announce: Callable[[str], None] = lambda _: None) -> Path:
    """The runtime folder for an interpreter, installed from the package index the first time.

    Runs of several processes at the same time install it once.

    Args:
        interpreter: Who imports from it.
        announce: Called with a sentence when something has to be installed.

    Raises:
        LocalEngineError: pip could not install it, or the cache folder cannot be written.
    """
    place = cache_dir() / "runtime"
    folder = place / _key(interpreter)
    if folder.is_dir():
        return folder
    try:
        place.mkdir(parents=True, exist_ok=True)
        with _locked(folder.with_suffix(".lock")):
            if not folder.is_dir():
                announce(f"installing {REQUIREMENTS[0]} and boto3 for Python {'.'.join(map(str, interpreter.version))}")
                _install(interpreter, folder)
    except OSError as error:
        raise LocalEngineError(f"local engine: {place}: {error.strerror}; expected a writable cache folder") from error
    return folder


def _key(interpreter: Interpreter) -> str:
    pins = hashlib.sha256("\n".join(REQUIREMENTS).encode()).hexdigest()[:12]
    return "python{}.{}-{}-{}".format(*interpreter.version[:2], platform.machine(), pins).replace(".", "_")


def _install(interpreter: Interpreter, folder: Path) -> None:
    for abandoned in folder.parent.glob(f"{folder.name}-*"):  # ours is the lock: whoever made these was killed
        shutil.rmtree(abandoned, ignore_errors=True)
    partial = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent))
    command = [
        *(sys.executable, "-m", "pip", "--python", str(interpreter.path), "install", "--target", str(partial)),
        *("--only-binary=:all:", "--no-input", "--disable-pip-version-check", "--quiet", *REQUIREMENTS),
    ]
    try:
        done = subprocess.run(  # noqa: S603 - pip, with the pins above
            command, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
        )
        said = done.stderr
        if done.returncode == 0:
            partial.rename(folder)
            return
    except subprocess.TimeoutExpired:
        said = f"no answer in {_INSTALL_SECONDS} seconds"
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    errors = [line for line in said.splitlines() if line.startswith("ERROR")] or said.splitlines()[-1:]
    hint = "" if sys.platform == "linux" else "; AWS publishes it for Linux only, use Linux or WSL"
    raise LocalEngineError(
        f"local engine: {REQUIREMENTS[0]}: pip could not install it: {' '.join(errors) or 'no reason given'}{hint}"
    )


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
