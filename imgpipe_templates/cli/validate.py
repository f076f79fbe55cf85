"""`imgpipe validate`: check template files of this project or any other."""

from __future__ import annotations

import sys
from typing import Any

import click

from imgpipe_templates.checks.profiles import PROFILES
from imgpipe_templates.cli.tables import working

_FORMATS = ("text", "json", "sarif", "junit", "pretty")


@click.command("validate")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--format",
    "report_format",
    type=click.Choice(_FORMATS),
    default="text",
    help="Format of the report on stdout.",
    show_default=True,
)
@click.option(
    "--profile",
    type=click.Choice(["auto", *PROFILES]),
    default="auto",
    help="Conventions to check. `auto` checks those of this project, in the templates that it rendered only.",
    show_default=True,
)
@click.option(
    "--tag",
    "tags",
    multiple=True,
    metavar="KEY[=VALUE]",
    help="Require a tag on every taggable resource, in addition to the tags of the profile; may repeat.",
)
def command(files: tuple[str, ...], report_format: Any, profile: str, tags: tuple[str, ...]) -> int:
    """Check CloudFormation templates in JSON or YAML with the rules of cfn-lint and of this project.

    Rules of this project have ids E95nn and W95nn; the JSON and SARIF reports name the source of each. Metadata can
    exclude a rule, as for cfn-lint. FILE `-` reads standard input. Findings go to stdout. Status 1 means that there
    are findings, or that a file is not a template; all other files are still checked.
    """
    with working("loading the rules") as announce:
        from imgpipe_templates.checks.file_validation import validate_files  # imports cfn-lint

        found = validate_files(
            files,
            report_format,
            profile=PROFILES.get(profile),
            tags=_required(tags),
            announce=lambda file: announce(f"checking {file}"),
        )
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


def _required(tags: tuple[str, ...]) -> dict[str, str | None]:
    """Return the required tags of `--tag KEY` and `--tag KEY=VALUE`."""
    required: dict[str, str | None] = {}
    for tag in tags:
        key, equals, value = tag.partition("=")
        if not key:
            raise click.BadParameter(f"{tag!r} has no key; write KEY or KEY=VALUE", param_hint="--tag")
        required[key] = value if equals else None
    return required
