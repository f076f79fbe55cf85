"""Asking pip: for the wheels of a target, and for source distributions, which have none."""

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
    """What pip finds for `pins` and brings along for them: contents by file name, wheels and source distributions.

    Args:
        pins: What is asked for.
        target: Where it will run.
        label: The requirements file's name in messages.
        python: The interpreter whose pip resolves; its configuration (index addresses, proxies) is the user's.

    Raises:
        PackagingError: pip is missing, or finds one of them not or not for the target.
    """
    found: dict[str, bytes] = {}
    if wheels := [pin.line for pin in pins if not pin.from_source]:
        options = ["--only-binary=:all:", "--implementation=cp", "--python-version={}.{}".format(*target.version)]
        options += [f"--abi={abi}" for abi in (target.abi, "abi3", "none")]
        options += [f"--platform={platform}" for platform in target.platforms]
        glibc = "{}.{}".format(*target.available_glibc)
        wanting = f"pip finds no wheels for {target}"
        found |= _ask(
            wheels, options, python, _Wish(label, wanting, f"a wheel for {target} and glibc {glibc} or older")
        )
    for pin in (pin for pin in pins if pin.from_source):
        # pip runs the build script of a source distribution for its metadata; nothing that it makes is used.
        options = ["--no-deps", f"--no-binary={pin.name}"]
        wish = _Wish(label, "pip brings no source distribution", "a source distribution")
        found |= _ask([pin.line], options, python, wish)
    return found


class _Wish(NamedTuple):
    """How messages name what pip is asked for: the file that asks, what is wrong without it, what it is."""

    label: str
    wanting: str
    thing: str


def _ask(lines: Sequence[str], options: Sequence[str], python: str, wish: _Wish) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory(prefix="imgpipe-wheels-") as folder:
        wanted = Path(folder, "requirements.txt")
        wanted.write_text("\n".join(lines) + "\n", encoding="utf-8")
        found = Path(folder, "found")
        command = [python, "-P", "-m", "pip", "download", "--no-input", "--disable-pip-version-check", "--no-color"]
        command += ["--progress-bar=off", f"--dest={found}", *options, f"--requirement={wanted}"]
        answer = subprocess.run(  # noqa: S603 - this interpreter's own pip, arguments built here
            command, capture_output=True, encoding="utf-8", errors="replace", check=False
        )
        if answer.returncode:
            raise PackagingError(_explain(answer.stderr, lines, python, wish))
        return {path.name: path.read_bytes() for path in sorted(found.iterdir())}


def _explain(stderr: str, lines: Sequence[str], python: str, wish: _Wish) -> str:
    """One line out of pip's many: what was asked for, what pip said last, what to do."""
    said = [line.strip() for line in stderr.splitlines() if line.strip()]
    if any("No module named pip" in line for line in said):
        return f"{python}: pip: is not installed there; install it with '{python} -m ensurepip'"
    errors = [line.removeprefix("ERROR: ") for line in said if line.startswith("ERROR: ")]
    last = next((line for line in reversed(errors) if "ResolutionImpossible" not in line), (said or ["nothing"])[-1])
    named = [line.split()[0] for line in lines]
    asked = next((line for line in named if line in last), ", ".join(named))
    if any("Retrying (" in line for line in said):
        todo = "the package index did not answer: check the network and pip's configuration"
    else:
        todo = f"expected versions with {wish.thing}"
    return f"{wish.label}: {asked}: {wish.wanting} ({last}); {todo}"
