"""`imgpipe validate`: check template files, whoever wrote them."""

from __future__ import annotations

import sys
from typing import Any

import click

_FORMATS = ("text", "json", "sarif", "junit", "pretty")


@click.command("validate")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--format",
    "report_format",
    type=click.Choice(_FORMATS),
    default="text",
    help="What to write.",
    show_default=True,
)
def command(files: tuple[str, ...], report_format: Any) -> int:
    """Check CloudFormation templates, rendered here or not, in JSON or YAML.

    cfn-lint's rules and the project's own (E95nn and W95nn) are asked; the JSON and SARIF reports name the source of
    each. A rule is set aside in Metadata, as for cfn-lint. FILE `-` is standard input. Findings go to stdout. Status 1
    means that there are some, or that a file is no template; the other files are checked all the same.
    """
    from imgpipe_templates.cli.tables import working

    with working("loading the rules") as announce:
        from imgpipe_templates.checks.files import validate_files

        found = validate_files(files, report_format, announce=lambda file: announce(f"checking {file}"))
    for line in found.unreadable:
        click.echo(f"error: {line}", err=True)
    if found.report:
        sys.stdout.write(found.report.rstrip("\n") + "\n")
    count = len(set(files)) - len(found.unreadable)
    click.echo(
        f"{count} template{'s' if count != 1 else ''}: "
        f"{found.findings or 'no'} finding{'s' if found.findings != 1 else ''}",
        err=True,
    )
    return 1 if found.findings or found.unreadable else 0
