"""`python -m benchmarks.render`: the CPU time of rendering compared with the cfn-lint CLI and AWS CDK.

Every figure is the CPU time of a whole process, interpreter start included, except the variants, which share one
process.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.measure import Command, Samples, measure

# The cfn-lint CLI in this interpreter.
CFN_LINT = "import sys; from cfnlint.runner import main; sys.exit(main())"

# A render through the library, without validation and files.
LIBRARY = """
from imgpipe_templates import load_preset, render_pipeline, to_json
to_json(render_pipeline(load_preset("thumbnails")).stacks["pipeline"])
"""

# Each variant is a separate configuration that is checked, rendered and written as JSON. Prints CPU milliseconds per
# variant by number of variants.
VARIANTS = """
import json, time
from imgpipe_templates import load_preset, render_pipeline, to_json

def variants(count):
    start = time.process_time()
    for number in range(count):
        config = load_preset("thumbnails", [f"environment_suffix=v{number}"])
        to_json(render_pipeline(config).stacks["pipeline"])
    return (time.process_time() - start) * 1000

variants(1)
print(json.dumps({count: variants(count) / count for count in (10, 50, 100)}))
"""


@dataclass(frozen=True)
class Bar:
    """The maximum cost of one process, as a ratio to another."""

    title: str
    command: str
    against: str
    limit: float


BARS = (
    Bar("render, nothing cached / cfn-lint", "uncached", "cfn-lint", 0.95),
    Bar("render, text validated before / cfn-lint", "validated", "cfn-lint", 0.35),
    Bar("library, one pipeline / cdk synth", "library", "cdk", 0.15),
)
# The maximum cost of a variant among a hundred, as a ratio to one among ten, for linear growth.
LINEAR = 1.15
CDK_APP = Path(__file__).with_name("cdk")


def main() -> int:
    """Measure, print the table, and return 1 if a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.render", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="runs of each command (default: %(default)s)")
    rounds = parser.parse_args().rounds

    print(
        f"Python {platform.python_version()}, troposphere {version('troposphere')}, awacs {version('awacs')}, "
        f"cfn-lint {version('cfn-lint')}; {platform.machine()}; {rounds} rounds\n"
    )
    python = sys.executable
    with tempfile.TemporaryDirectory(prefix="imgpipe-benchmark-") as folder:
        render = [python, "-m", "imgpipe_templates", "render", "--preset", "thumbnails", "--format", "json", "--out"]
        subprocess.run([*render, f"{folder}/linted"], check=True, capture_output=True)
        template = f"{folder}/linted/thumbnails/single/pipeline.template.json"
        commands = {
            "cfn-lint": Command([python, "-c", CFN_LINT, template]),
            "uncached": Command([*render, f"{folder}/uncached"], fresh_cache=True),
            "validated": Command([*render, f"{folder}/validated"]),
            "library": Command([python, "-c", LIBRARY]),
        }
        if cdk := _cdk_command(Path(folder)):
            commands["cdk"] = cdk
        else:
            print("Node and npm are not installed, so the row against AWS CDK is left out.\n")
        samples = measure(commands, rounds)
    missed = _print_ratios(samples)
    return 1 if _print_variants(python) or missed else 0


def _cdk_command(folder: Path) -> Command | None:
    """Install the AWS CDK app with npm and return its synth command, or None without Node and npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    app = folder / "cdk"
    shutil.copytree(CDK_APP, app)
    subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=app, check=True, capture_output=True)
    os.environ["CDK_DISABLE_CLI_TELEMETRY"] = "true"
    synth = [node, "node_modules/aws-cdk/bin/cdk", "synth", "--quiet", "--no-notices"]
    return Command(synth, cwd=app)


def _print_ratios(samples: dict[str, Samples]) -> bool:
    """Print a row for every measured bar and return True if one is missed."""
    print(f"{'':45}{'ms':>7}{'to':>8}{'ratio':>8}{'min':>7}{'bar':>7}")
    missed = False
    for bar in (bar for bar in BARS if bar.against in samples):
        one, other = samples[bar.command], samples[bar.against]
        ratios = one.ratios(other)
        missed |= ratios.median > bar.limit
        print(
            f"{bar.title:45}{one.median:7.0f}{other.median:8.0f}{ratios.median:8.3f}{min(ratios.values):7.3f}"
            f"{bar.limit:7.2f}{'  missed' if ratios.median > bar.limit else ''}"
        )
    return missed


def _print_variants(python: str) -> bool:
    """Measure and print the variants, and return True if their cost grows faster than their number."""
    done = subprocess.run([python, "-c", VARIANTS], check=True, capture_output=True, text=True)
    each = {int(count): float(milliseconds) for count, milliseconds in json.loads(done.stdout).items()}
    missed = each[max(each)] > each[min(each)] * LINEAR
    print("\nvariants in one process, JSON, ms each")
    for count, milliseconds in each.items():
        print(f"{f'N = {count}':45}{milliseconds:7.2f}")
    if missed:
        print("missed: the cost of a variant grows with their number")
    return missed


if __name__ == "__main__":
    sys.exit(main())
