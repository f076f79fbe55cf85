"""Downloads by pip: wheels for a target, and source distributions of projects without wheels."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from imgpipe_templates.errors import PackagingError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from imgpipe_templates.packaging.requirements import Pin
    from imgpipe_templates.packaging.target import Target


def download(pins: Sequence[Pin], target: Target, *, label: str, python: str) -> Mapping[str, bytes]:
    """Download `pins` and their dependencies with pip.

    Args:
        pins: Pins of the requirements file.
        target: Runtime and architecture of the function.
        label: The requirements file's name in messages.
        python: Interpreter that runs pip. pip uses the user's configuration (index URLs, proxies).

    Returns:
        Contents of the wheels and source distributions, by file name.

    Raises:
        PackagingError: pip is missing, or finds no distribution of a pin for the target.
    """
    found: dict[str, bytes] = {}
    if wheels := [pin.line for pin in pins if not pin.from_source]:
        options = ["--only-binary=:all:", "--implementation=cp", "--python-version={}.{}".format(*target.version)]
        options += [f"--abi={abi}" for abi in (target.abi, "abi3", "none")]
        options += [f"--platform={platform}" for platform in target.platforms]
        glibc = "{}.{}".format(*target.available_glibc)
        problem = f"pip finds no wheels for {target}"
        found |= _run_pip(
            wheels, options, python, _Request(label, problem, f"a wheel for {target} and glibc {glibc} or older")
        )
    for pin in (pin for pin in pins if pin.from_source):
        # pip runs the build script of the source distribution for its metadata. Its output is not used.
        options = ["--no-deps", f"--no-binary={pin.name}"]
        request = _Request(label, "pip finds no source distribution", "a source distribution")
        found |= _run_pip([pin.line], options, python, request)
    return found


class _Request(NamedTuple):
    """Texts of error messages about a download.

    Attributes:
        label: The requirements file.
        problem: Message if pip finds nothing.
        expected: The expected kind of distribution.
    """

    label: str
    problem: str
    expected: str


def _run_pip(lines: Sequence[str], options: Sequence[str], python: str, request: _Request) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory(prefix="imgpipe-wheels-") as folder:
        requirements = Path(folder, "requirements.txt")
        requirements.write_text("\n".join(lines) + "\n", encoding="utf-8")
        found = Path(folder, "found")
        command = [python, "-P", "-m", "pip", "download", "--no-input", "--disable-pip-version-check", "--no-color"]
        command += ["--progress-bar=off", f"--dest={found}", *options, f"--requirement={requirements}"]
        completed = subprocess.run(  # noqa: S603 - this interpreter's own pip, arguments built here
            command, capture_output=True, encoding="utf-8", errors="replace", check=False
        )
        if completed.returncode:
            raise PackagingError(_error_message(completed.stderr, lines, python, request))
        return {path.name: path.read_bytes() for path in sorted(found.iterdir())}


def _error_message(stderr: str, lines: Sequence[str], python: str, request: _Request) -> str:
    """Return one line with the requested pin, pip's last error and the action to take."""
    output = [line.strip() for line in stderr.splitlines() if line.strip()]
    if any("No module named pip" in line for line in output):
        return f"{python}: pip: not installed for this interpreter; install it with '{python} -m ensurepip'"
    errors = [line.removeprefix("ERROR: ") for line in output if line.startswith("ERROR: ")]
    last = next((line for line in reversed(errors) if "ResolutionImpossible" not in line), (output or ["nothing"])[-1])
    names = [line.split()[0] for line in lines]
    requested = next((name for name in names if name in last), ", ".join(names))
    if any("Retrying (" in line for line in output):
        action = "the package index did not respond: check the network and pip's configuration"
    else:
        action = f"expected versions with {request.expected}"
    return f"{request.label}: {requested}: {request.problem} ({last}); {action}"
