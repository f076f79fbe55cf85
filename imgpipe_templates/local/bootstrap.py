"""Runs inside the function's interpreter: die with the engine, then become AWS's runtime interface client.

Started by path with `python -S`, so it may use nothing but the standard library and the runtime folder.
"""

import os
import runpy
import signal
import sys

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_SIGKILL = 9


def _die_with(parent: int) -> None:
    if not sys.platform.startswith("linux"):
        return
    import ctypes  # noqa: PLC0415 - only where it is used: it costs a cold start 10 ms

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    if os.getppid() != parent:  # the engine died before the request reached the kernel
        os._exit(1)


if __name__ == "__main__":
    sys.path.pop(0)  # this file's folder: the engine's modules are not the function's
    _die_with(int(sys.argv.pop(1)))
    signal.pthread_sigmask(signal.SIG_SETMASK, ())  # the engine blocks SIGTERM for itself
    runpy.run_module("awslambdaric", run_name="__main__", alter_sys=True)
