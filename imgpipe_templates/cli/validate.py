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
    help="One of cfn-lint's formats.",
    show_default=True,
)
def command(files: tuple[str, ...], report_format: Any) -> int:
    """Check CloudFormation templates, rendered here or not, in JSON or YAML.

    cfn-lint's rules and the project's own are asked; docs/checks.md lists the latter. A rule is set aside in Metadata,
    as for cfn-lint. Findings go to stdout. Status 1 means that there are some, 2 that a file is no template.
    """
    from imgpipe_templates.checks.files import UnreadableTemplateError, validate_files

    try:
        found = validate_files(files, report_format)
    except UnreadableTemplateError as error:
        for line in str(error).splitlines():
            click.echo(f"error: {line}", err=True)
        return 2
    if found.report:
        sys.stdout.write(found.report.rstrip("\n") + "\n")
    count = len(set(files))
    click.echo(
        f"{count} template{'s' if count > 1 else ''}: "
        f"{found.findings or 'no'} finding{'s' if found.findings != 1 else ''}",
        err=True,
    )
    return 1 if found.findings else 0
