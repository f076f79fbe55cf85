"""Target of a package: a Lambda runtime and architecture, or an interpreter of this machine."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from packaging.tags import compatible_tags, cpython_tags

from imgpipe_templates.errors import PackagingError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.tags import Tag

# Amazon Linux 2023 User Guide, "Improved toolchain: gcc, binutils, and glibc", read 2026-11
AMAZON_LINUX_2_GLIBC = (2, 26)
AMAZON_LINUX_2023_GLIBC = (2, 34)

OLDEST_MANYLINUX_GLIBC = (2, 17)  # manylinux2014 is manylinux_2_17 (PEP 600); older images have no Python 3.11

INTERPRETER_SECONDS = 30  # an interpreter starts in well under one second


@dataclass(frozen=True)
class Runtime:
    """A Python runtime of Lambda.

    Attributes:
        version: Major and minor version of CPython.
        bytecode: Magic number of its `.pyc` files.
        glibc: Version of the C library on Lambda.
        supported: True if packages for Lambda are built for it. Other versions only run functions on this machine.
    """

    version: tuple[int, int]
    bytecode: int
    glibc: tuple[int, int]
    supported: bool = True


# Operating systems: AWS Lambda Developer Guide, "Building Lambda functions with Python", read 2026-11.
# Magic numbers: CPython, Include/internal/pycore_magic_number.h, read 2026-11.
# 3.11 is not supported: Pillow's wheels with current security fixes need glibc 2.27.
RUNTIMES: Mapping[str, Runtime] = {
    "python3.11": Runtime((3, 11), 3495, AMAZON_LINUX_2_GLIBC, supported=False),
    "python3.12": Runtime((3, 12), 3531, AMAZON_LINUX_2023_GLIBC),
    "python3.13": Runtime((3, 13), 3571, AMAZON_LINUX_2023_GLIBC),
    "python3.14": Runtime((3, 14), 3627, AMAZON_LINUX_2023_GLIBC),
}

MACHINES: Mapping[str, str] = {"arm64": "aarch64", "x86_64": "x86_64"}  # Lambda's name -> the Linux kernel's name

LAMBDA_RUNTIMES = tuple(name for name, runtime in RUNTIMES.items() if runtime.supported)


@dataclass(frozen=True)
class Target:
    """Runtime and architecture that a package is built for.

    Args:
        runtime: Value of a function's `Runtime`.
        architecture: Value in a function's `Architectures`.
        glibc: Version of the C library; None for the version of the Lambda runtime.

    Raises:
        PackagingError: The runtime or architecture is not supported.
    """

    runtime: str = "python3.13"
    architecture: str = "arm64"
    glibc: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        """Check runtime and architecture."""
        allowed = LAMBDA_RUNTIMES if self.glibc is None else tuple(RUNTIMES)
        if self.runtime not in allowed:
            raise PackagingError(
                f"target: runtime: {self.runtime!r} not supported; expected one of {', '.join(allowed)}"
            )
        if self.architecture not in MACHINES:
            raise PackagingError(
                f"target: architecture: {self.architecture!r} unknown; expected one of {', '.join(MACHINES)}"
            )

    def __str__(self) -> str:
        return f"{self.runtime} on {self.architecture}"

    @classmethod
    def of_interpreter(cls, python: str) -> Target:
        """Return the target for an interpreter of this machine.

        Raises:
            PackagingError: The interpreter does not run, or is not CPython 3.11 to 3.14 on Linux with glibc.
        """
        return _target_of(python, _describe(python))

    @property
    def version(self) -> tuple[int, int]:
        """Major and minor version of Python."""
        return RUNTIMES[self.runtime].version

    @property
    def available_glibc(self) -> tuple[int, int]:
        """Version of the C library on the target: the maximum that native code may require."""
        return self.glibc or RUNTIMES[self.runtime].glibc

    @property
    def bytecode(self) -> int:
        """Magic number of the runtime's `.pyc` files."""
        return RUNTIMES[self.runtime].bytecode

    @property
    def machine(self) -> str:
        """The processor as the Linux kernel names it."""
        return MACHINES[self.architecture]

    @property
    def abi(self) -> str:
        """The interpreter's ABI tag, such as `cp313`."""
        return "cp{}{}".format(*self.version)

    @property
    def platforms(self) -> tuple[str, ...]:
        """Platform tags of compatible wheels, newest C library first.

        pip does not fall back from a `--platform` to an older manylinux version.
        """
        major, newest = self.available_glibc
        minors = range(newest, OLDEST_MANYLINUX_GLIBC[1] - 1, -1)
        return (*(f"manylinux_{major}_{minor}_{self.machine}" for minor in minors), f"manylinux2014_{self.machine}")

    @property
    def tags(self) -> frozenset[Tag]:
        """All compatible wheel tags."""
        platforms = self.platforms
        native = cpython_tags(self.version, abis=[self.abi], platforms=platforms)
        return frozenset(native) | frozenset(compatible_tags(self.version, self.abi, platforms))

    @property
    def markers(self) -> dict[str, str]:
        """Values of the environment markers of requirements (PEP 508) on the target."""
        version = "{}.{}".format(*self.version)
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{version}.0",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{version}.0",
            "python_version": version,
            "sys_platform": "linux",
        }


_DESCRIBE = """
import json, platform, sys, sysconfig
print(json.dumps({
    "implementation": sys.implementation.name,
    "version": list(sys.version_info[:2]),
    "platform": sys.platform,
    "machine": platform.machine(),
    "bits": 64 if sys.maxsize > 2**32 else 32,
    "libc": platform.libc_ver(),
    "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
}))
"""


class _Interpreter(TypedDict):
    implementation: str
    version: list[int]
    platform: str
    machine: str
    bits: int
    libc: list[str]
    free_threaded: bool


def _describe(python: str) -> _Interpreter:
    try:
        completed = subprocess.run(  # noqa: S603 - the caller chooses the interpreter
            [python, "-I", "-S", "-c", _DESCRIBE],
            capture_output=True,
            text=True,
            timeout=INTERPRETER_SECONDS,
            check=True,
        )
        found: _Interpreter = json.loads(completed.stdout)
    except subprocess.CalledProcessError as failure:
        problem = (failure.stderr.strip().splitlines() or [f"exit status {failure.returncode}"])[-1]
    except (OSError, subprocess.TimeoutExpired, ValueError) as failure:
        problem = str(failure)
    else:
        return found
    raise PackagingError(f"{python}: interpreter: does not run ({problem}); expected CPython 3.11 to 3.14")


def _target_of(python: str, found: _Interpreter) -> Target:
    architectures = {machine: architecture for architecture, machine in MACHINES.items()}
    runtime = "python{}.{}".format(*found["version"])
    library, release = found["libc"]
    glibc = re.match(r"(\d+)\.(\d+)", release) if library == "glibc" else None
    if found["implementation"] != "cpython" or runtime not in RUNTIMES:
        problem = f"is {found['implementation']} {runtime.removeprefix('python')}; expected CPython 3.11 to 3.14"
    elif found["free_threaded"]:
        problem = "is a free-threaded build; expected a build with the GIL, as on Lambda"
    elif found["platform"] != "linux":
        problem = f"runs on {found['platform']!r}; expected Linux, the platform of Lambda's wheels"
    elif found["machine"] not in architectures or found["bits"] != 64:  # noqa: PLR2004 - the word size of both
        problem = f"runs on {found['bits']}-bit {found['machine']}; expected 64-bit {' or '.join(architectures)}"
    elif glibc is None:
        problem = f"runs on the C library {library or 'unknown'!r}; expected glibc, which manylinux wheels require"
    else:
        return Target(runtime, architectures[found["machine"]], (int(glibc[1]), int(glibc[2])))
    raise PackagingError(f"{python}: interpreter: {problem}")
