"""The command line: it reads arguments and returns an exit status; the library does the work.

Paths of written files go to stdout, everything else to stderr. Exit status 0 means success, 1 means that the input,
the templates or the run have errors, 2 means that the command line has errors.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

import click

from imgpipe_templates.cli import init, local, package, presets, render, schema, validate
from imgpipe_templates.errors import ImgpipeError
from imgpipe_templates.version import __version__

# A shell reports a process that ended by a signal as 128 plus the signal's number.
_INTERRUPTED = 128 + signal.SIGINT


class _ListedGroup(click.Group):
    """A group whose help lists the commands in the order in which they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.commands)


@click.command(cls=_ListedGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="imgpipe")
def root() -> None:
    """Render validated CloudFormation for an image pipeline, with the Lambda code of its functions."""


for module in (render, validate, package, local, presets, init, schema):
    root.add_command(module.command)


def run(arguments: Sequence[str]) -> int:
    """Run one command.

    Args:
        arguments: The arguments after the program's name.

    Returns:
        0 for success, 1 for errors in the input or the templates, 2 for errors in the command line, 130 if interrupted.
    """
    try:
        status = root(list(arguments), prog_name="imgpipe", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        print("interrupted", file=sys.stderr)
        return _INTERRUPTED
    except ImgpipeError as error:
        for line in str(error).splitlines():
            print(f"error: {line}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader of stdout has exited. Without a new descriptor, the interpreter's flush at exit would fail too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return int(status or 0)
