"""`python -m benchmarks.render`: the speed of rendering against its bars, as a table of ratios.

Every figure is CPU time of a whole process, interpreter start included, except the variants, which share one process.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version

from benchmarks.measure import Command, Samples, measure

BARE = "import troposphere"

# What the command `cfn-lint` runs, with this interpreter.
CFN_LINT = "import sys; from cfnlint.runner import main; sys.exit(main())"

# The library, as anybody would call it; validation and files are the command line's.
RENDER = """
from imgpipe_templates import load_preset, render_pipeline, {form}
{form}(render_pipeline(load_preset("thumbnails")).stacks["pipeline"])
"""

# Each variant is a configuration of its own, checked, rendered and written as JSON; prints CPU milliseconds for each N.
VARIANTS = """
import json, time
from imgpipe_templates import load_preset, render_pipeline, to_json

def variants(count):
    start = time.process_time()
    for number in range(count):
        config = load_preset("thumbnails", [f"environment_suffix=v{number}"], cached=False)
        to_json(render_pipeline(config).stacks["pipeline"])
    return (time.process_time() - start) * 1000

variants(1)
print(json.dumps({count: variants(count) / count for count in (10, 50, 100)}))
"""


@dataclass(frozen=True)
class Bar:
    """What one process may cost, as a multiple of another."""

    title: str
    command: str
    against: str
    limit: float
    aim: float | None = None


BARS = (
    Bar("library, JSON / import troposphere", "json", "bare", 1.3, 1.0),
    Bar("library, YAML / JSON", "yaml", "json", 1.1),
    Bar("validated render, nothing cached / cfn-lint", "validated", "cfn-lint", 1.05, 0.95),
    Bar("validated render, text known / cfn-lint", "known", "cfn-lint", 0.1),
)
VARIANT_LIMIT_MS = 4.0
# How much dearer a variant among a hundred may be than one among ten for growth to count as linear.
LINEAR = 1.15


def main() -> int:
    """Measure, print the table, and return 1 if a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.render", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="runs of each command (default: %(default)s)")
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
        # In two groups, so that the long runs of the linter do not set the pace of the short ones.
        samples = measure(
            {
                "bare": Command([python, "-c", BARE]),
                "json": Command([python, "-c", RENDER.format(form="to_json")]),
                "yaml": Command([python, "-c", RENDER.format(form="to_yaml")]),
            },
            rounds,
        ) | measure(
            {
                "cfn-lint": Command([python, "-c", CFN_LINT, template]),
                "validated": Command([*render, f"{folder}/validated"], fresh_cache=True),
                "known": Command([*render, f"{folder}/known"]),
            },
            max(3, rounds // 3),
        )
    missed = _print_ratios(samples)
    return 1 if _print_variants(python) or missed else 0


def _print_ratios(samples: dict[str, Samples]) -> bool:
    """Print a row for every bar and say whether one is missed."""
    print(f"{'':45}{'ms':>7}{'to':>8}{'ratio':>8}{'bar':>7}{'aim':>7}")
    missed = False
    for bar in BARS:
        mine, theirs = samples[bar.command], samples[bar.against]
        ratio = mine.ratio(theirs)
        missed |= ratio > bar.limit
        aim = "" if bar.aim is None else f"{bar.aim:.2f}"
        print(
            f"{bar.title:45}{mine.median:7.0f}{theirs.median:8.0f}{ratio:8.3f}{bar.limit:7.2f}{aim:>7}"
            + ("  missed" if ratio > bar.limit else "")
        )
    return missed


def _print_variants(python: str) -> bool:
    """Measure and print the variants, and say whether they miss their bar."""
    done = subprocess.run([python, "-c", VARIANTS], check=True, capture_output=True, text=True)
    each = {int(count): float(milliseconds) for count, milliseconds in json.loads(done.stdout).items()}
    fewest, most = min(each), max(each)
    missed = each[most] > VARIANT_LIMIT_MS or each[most] > each[fewest] * LINEAR
    print("\nvariants in one process, JSON, ms each")
    for count, milliseconds in each.items():
        print(f"{f'N = {count}':45}{milliseconds:7.2f}{'':16}{VARIANT_LIMIT_MS:7.2f}")
    if missed:
        print("missed: more than the bar each, or growing faster than their number")
    return missed


if __name__ == "__main__":
    sys.exit(main())
