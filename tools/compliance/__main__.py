"""The command: scan, write the report, and fail where something is left that nothing answers."""

from __future__ import annotations

import json
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click

from imgpipe_templates.cache import cache_dir
from tools.compliance.environments import Environments, MissingToolError
from tools.compliance.findings import Template, Verdict, accepted_in, judge, without_suppressions
from tools.compliance.report import report
from tools.compliance.scanners import SCANNERS, left_natively

ROOT = Path(__file__).parents[2]
HELD = "production"
MOST_SUPPRESSIONS = 30


@click.command()
@click.option("--build", type=click.Path(path_type=Path), default=ROOT / "build", help="Folder of rendered templates.")
@click.option("--out", type=click.Path(path_type=Path), default=ROOT / "docs" / "compliance.md", help="The report.")
@click.option("--cache", type=click.Path(path_type=Path), help="Folder of the scanners; the user's cache by default.")
def main(build: Path, out: Path, cache: Path | None) -> None:
    """Hold the rendered presets against public scanners and write docs/compliance.md."""
    environments = Environments(cache or cache_dir() / "compliance")
    templates = {
        file.parents[1].name: json.loads(file.read_text(encoding="utf-8"))
        for file in sorted(build.glob("*/single/pipeline.template.json"))
    }
    try:
        environments.make()
        with tempfile.TemporaryDirectory() as scratch:
            verdicts = {name: _verdict(environments, one, Path(scratch)) for name, one in templates.items()}
            native = left_natively(environments, build / HELD / "single" / "pipeline.template.json")
    except (MissingToolError, subprocess.CalledProcessError) as error:
        raise click.ClickException(str(error)) from error
    out.write_text(report(verdicts, HELD, native), encoding="utf-8")
    faults = _faults(verdicts, native)
    for fault in faults:
        click.echo(fault)
    click.echo(f"{out}: {len(verdicts)} presets, {len(verdicts[HELD].accepted)} suppressions, {len(faults)} faults")
    if faults:
        raise SystemExit(1)


def _verdict(environments: Environments, template: Template, scratch: Path) -> Verdict:
    """What all scanners say of `template` without its suppressions, held against them."""
    bare = scratch / "template.json"
    bare.write_text(json.dumps(without_suppressions(template)), encoding="utf-8")
    with ThreadPoolExecutor(2) as pool:
        scans = [scan for scans in pool.map(lambda scanner: scanner(environments, bare), SCANNERS) for scan in scans]
    return judge(scans, accepted_in(template))


def _faults(verdicts: dict[str, Verdict], native: dict[str, int]) -> list[str]:
    """Everything that must not be."""
    held = verdicts[HELD]
    faults = [f"{HELD}: {one.pack}: {one.rule}[{one.detail}] on {one.resource}: is not answered" for one in held.open]
    faults += [
        f"{HELD}: {pack}: leaves {left} findings though it reads the Metadata" for pack, left in native.items() if left
    ]
    if len(held.accepted) > MOST_SUPPRESSIONS:
        faults.append(f"{HELD}: states {len(held.accepted)} suppressions; expected at most {MOST_SUPPRESSIONS}")
    for preset, verdict in verdicts.items():
        faults += [f"{preset}: {one}" for one in verdict.superfluous]
        faults += [
            f"{preset}: {one.pack}: {one.rule} on {one.resource} is {one.severity}"
            for one in verdict.grave
            if preset != HELD
        ]
    return faults


if __name__ == "__main__":
    main()
