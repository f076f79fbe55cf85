"""The scanners' own environments: made once below the cache folder, then used again."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# What is installed, exactly. parliament imports pkg_resources, which setuptools no longer has since version 82.
PYTHON = {
    "cfn-lint": ("cfn-lint==1.58.0",),
    "cfripper": ("cfripper==1.22.1", "pycfmodel==2.1.3"),
    "checkov": ("checkov==3.3.30",),
    "parliament": ("parliament==1.6.4", "setuptools==79.0.1"),
    "policy_sentry": ("policy_sentry==0.15.2",),
}
NODE = {
    "cdk-nag": {"aws-cdk-lib": "2.276.0", "cdk-nag": "3.0.2", "constructs": "10.8.1"},
    "cfn-guard": {"@cdklabs/cdk-validator-cfnguard": "0.0.62"},
}

WORKERS = Path(__file__).parent / "workers"
_SYSTEMS = {"Linux": "ubuntu", "Darwin": "macos"}
_MACHINES = {"arm64": "aarch64", "amd64": "x86_64"}


class MissingToolError(Exception):
    """Something that this machine must have is not there."""


@dataclass(frozen=True)
class Environments:
    """Where the scanners are."""

    folder: Path

    def make(self) -> None:
        """Install what is not installed yet.

        Raises:
            MissingToolError: Node.js is not there.
        """
        for name, requirements in PYTHON.items():
            self._make_python(name, requirements)
        for name, packages in NODE.items():
            self._make_node(name, packages)

    def python(self, scanner: str) -> str:
        """The interpreter of a scanner written in Python."""
        return str(self.folder / scanner / "bin" / "python")

    def script(self, scanner: str) -> str:
        """The command of a scanner written in Python."""
        return str(self.folder / scanner / "bin" / scanner)

    @property
    def guard(self) -> Path:
        """The package with cfn-guard's binary and Control Tower's rules."""
        return self.folder / "cfn-guard" / "node_modules" / "@cdklabs" / "cdk-validator-cfnguard"

    @property
    def guard_binary(self) -> str:
        """cfn-guard for this machine."""
        machine = _MACHINES.get(platform.machine().lower(), platform.machine())
        return str(self.guard / "bin" / _SYSTEMS[platform.system()] / machine / "cfn-guard")

    def _make_python(self, name: str, requirements: tuple[str, ...]) -> None:
        place = self.folder / name
        if _is_made(place, "\n".join(requirements)):
            return
        run(sys.executable, "-m", "venv", "--clear", str(place))
        run(str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", *requirements)
        _remember(place, "\n".join(requirements))

    def _make_node(self, name: str, packages: dict[str, str]) -> None:
        place = self.folder / name
        manifest = json.dumps({"private": True, "dependencies": packages}, indent=2)
        if _is_made(place, manifest):
            return
        place.mkdir(parents=True, exist_ok=True)
        (place / "package.json").write_text(manifest, encoding="utf-8")
        # cfn-guard's package names the CDK as its peer, which its binary and rules do without.
        run(tool("npm"), "install", "--ignore-scripts", "--legacy-peer-deps", "--no-audit", "--no-fund", cwd=place)
        _remember(place, manifest)


def tool(name: str) -> str:
    """The full path of a command.

    Raises:
        MissingToolError: There is none.
    """
    found = shutil.which(name)
    if found is None:
        raise MissingToolError(f"{name}: is not on PATH; expected Node.js 20 or newer")
    return found


def run(*command: str, cwd: Path | None = None, allowed: tuple[int, ...] = (0,)) -> str:
    """Run a command and return what it writes to its standard output.

    Raises:
        subprocess.CalledProcessError: It ends with a code that is not `allowed`.
    """
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if done.returncode not in allowed:
        sys.stderr.write(done.stderr)
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return done.stdout


def _is_made(place: Path, content: str) -> bool:
    mark = place / "installed.txt"
    return mark.is_file() and mark.read_text(encoding="utf-8") == content


def _remember(place: Path, content: str) -> None:
    (place / "installed.txt").write_text(content, encoding="utf-8")
