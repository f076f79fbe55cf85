"""What a package is built for: a Lambda runtime and architecture, or an interpreter of this machine."""

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

OLDEST_MANYLINUX_GLIBC = (2, 17)  # manylinux2014 is manylinux_2_17 (PEP 600); older images build no Python 3.11

INTERPRETER_SECONDS = 30  # a sound interpreter answers in well under one


@dataclass(frozen=True)
class Runtime:
    """A Python version as Lambda's runtimes name it.

    Attributes:
        version: Major and minor version of CPython.
        bytecode: Magic number of its `.pyc` files.
        glibc: Version of the C library on Lambda.
        supported: Whether packages for Lambda are built for it; if not, it can only be run on this machine.
    """

    version: tuple[int, int]
    bytecode: int
    glibc: tuple[int, int]
    supported: bool = True


# Operating systems: AWS Lambda Developer Guide, "Building Lambda functions with Python", read 2026-11.
# Magic numbers: CPython, Include/internal/pycore_magic_number.h, read 2026-11.
# 3.11 is not supported: Pillow's wheels with today's security fixes need glibc 2.27.
RUNTIMES: Mapping[str, Runtime] = {
    "python3.11": Runtime((3, 11), 3495, AMAZON_LINUX_2_GLIBC, supported=False),
    "python3.12": Runtime((3, 12), 3531, AMAZON_LINUX_2023_GLIBC),
    "python3.13": Runtime((3, 13), 3571, AMAZON_LINUX_2023_GLIBC),
    "python3.14": Runtime((3, 14), 3627, AMAZON_LINUX_2023_GLIBC),
}

MACHINES: Mapping[str, str] = {"arm64": "aarch64", "x86_64": "x86_64"}  # Lambda's word -> the Linux kernel's

LAMBDA_RUNTIMES = tuple(name for name, runtime in RUNTIMES.items() if runtime.supported)


@dataclass(frozen=True)
class Target:
    """Runtime and architecture that a package has to import on.

    Args:
        runtime: As in a function's `Runtime`.
        architecture: As in a function's `Architectures`.
        glibc: Version of the C library there; None: the one of that Lambda runtime.

    Raises:
        PackagingError: The runtime or the architecture is not one that packages are built for.
    """

    runtime: str = "python3.13"
    architecture: str = "arm64"
    glibc: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        """Refuse what no package can be built for."""
        allowed = LAMBDA_RUNTIMES if self.glibc is None else tuple(RUNTIMES)
        if self.runtime not in allowed:
            raise PackagingError(
                f"target: runtime: {self.runtime!r} is not supported; expected one of {', '.join(allowed)}"
            )
        if self.architecture not in MACHINES:
            raise PackagingError(
                f"target: architecture: {self.architecture!r} is not known; expected one of {', '.join(MACHINES)}"
            )

    def __str__(self) -> str:
        return f"{self.runtime} on {self.architecture}"

    @classmethod
    def of_interpreter(cls, python: str) -> Target:
        """The target for running a function under the interpreter `python` of this machine.

        Raises:
            PackagingError: It does not run, or it is not a CPython 3.11..3.14 on Linux with glibc.
        """
        return _target_of(python, _ask(python))

    @property
    def version(self) -> tuple[int, int]:
        """Major and minor version of Python."""
        return RUNTIMES[self.runtime].version

    @property
    def available_glibc(self) -> tuple[int, int]:
        """Version of the C library that is there: the newest one that native code may ask for."""
        return self.glibc or RUNTIMES[self.runtime].glibc

    @property
    def bytecode(self) -> int:
        """Magic number of `.pyc` files that this runtime loads."""
        return RUNTIMES[self.runtime].bytecode

    @property
    def machine(self) -> str:
        """The processor, in the Linux kernel's word."""
        return MACHINES[self.architecture]

    @property
    def abi(self) -> str:
        """The interpreter's ABI tag, such as `cp313`."""
        return "cp{}{}".format(*self.version)

    @property
    def platforms(self) -> tuple[str, ...]:
        """Platform tags whose wheels load there, newest C library first.

        pip takes a `--platform` literally: it does not fall back to an older manylinux by itself.
        """
        major, newest = self.available_glibc
        minors = range(newest, OLDEST_MANYLINUX_GLIBC[1] - 1, -1)
        return (*(f"manylinux_{major}_{minor}_{self.machine}" for minor in minors), f"manylinux2014_{self.machine}")

    @property
    def tags(self) -> frozenset[Tag]:
        """Every wheel tag that installs there."""
        platforms = self.platforms
        native = cpython_tags(self.version, abis=[self.abi], platforms=platforms)
        return frozenset(native) | frozenset(compatible_tags(self.version, self.abi, platforms))

    @property
    def markers(self) -> dict[str, str]:
        """Values of the environment markers of requirements (PEP 508) there."""
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


_QUESTION = """
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


def _ask(python: str) -> _Interpreter:
    try:
        answer = subprocess.run(  # noqa: S603 - the interpreter is the caller's choice
            [python, "-I", "-S", "-c", _QUESTION],
            capture_output=True,
            text=True,
            timeout=INTERPRETER_SECONDS,
            check=True,
        )
        found: _Interpreter = json.loads(answer.stdout)
    except subprocess.CalledProcessError as failure:
        said = (failure.stderr.strip().splitlines() or [f"exit status {failure.returncode}"])[-1]
    except (OSError, subprocess.TimeoutExpired, ValueError) as failure:
        said = str(failure)
    else:
        return found
    raise PackagingError(f"{python}: interpreter: does not run ({said}); expected CPython 3.11 to 3.14")


def _target_of(python: str, found: _Interpreter) -> Target:
    architectures = {machine: architecture for architecture, machine in MACHINES.items()}
    runtime = "python{}.{}".format(*found["version"])
    library, release = found["libc"]
    glibc = re.match(r"(\d+)\.(\d+)", release) if library == "glibc" else None
    if found["implementation"] != "cpython" or runtime not in RUNTIMES:
        problem = f"is {found['implementation']} {runtime.removeprefix('python')}; expected CPython 3.11 to 3.14"
    elif found["free_threaded"]:
        problem = "is a free-threaded build; expected one with the GIL, as on Lambda"
    elif found["platform"] != "linux":
        problem = f"runs on {found['platform']!r}; expected Linux, for which Lambda's wheels are built"
    elif found["machine"] not in architectures or found["bits"] != 64:  # noqa: PLR2004 - the word size of both
        problem = f"runs on {found['bits']}-bit {found['machine']}; expected 64-bit {' or '.join(architectures)}"
    elif glibc is None:
        problem = (
            f"runs on the C library {library or 'unknown'!r}; expected glibc, for which manylinux wheels are built"
        )
    else:
        return Target(runtime, architectures[found["machine"]], (int(glibc[1]), int(glibc[2])))
    raise PackagingError(f"{python}: interpreter: {problem}")
