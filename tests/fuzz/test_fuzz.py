"""A short session of the fuzzer, from the same seed each time, and the findings of earlier sessions.

`target.py` describes how to run a long session.
"""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz.check import check
from tests.fuzz.seeds import seeds

CASES = sorted(Path(__file__).with_name("cases").iterdir())
SESSION_SECONDS = 45

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="measures memory by /proc")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_earlier_finding_stays_fixed(case):
    check(case.read_bytes())


@pytest.mark.parametrize("name", sorted(seeds()))
def test_every_seed_is_an_image(name):
    check(seeds()[name], refused=False)


needs_atheris = pytest.mark.skipif(
    find_spec("atheris") is None, reason="atheris has no wheel for this Python or machine"
)


def run_session(repository, folder, *options, seconds):
    """Run the fuzzer in `folder`, with its temporary files there too."""
    temporary = folder / "temporary"
    temporary.mkdir()
    return subprocess.run(
        [sys.executable, "-m", "tests.fuzz.target", folder / "corpus", "-seed=1", "-timeout=60", *options],
        cwd=folder,
        env={
            "PYTHONPATH": ":".join(map(str, (repository, repository / "lambda" / "processor"))),
            "TMPDIR": str(temporary),
        },
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=seconds,
    )


@needs_atheris
def test_short_session_finds_nothing(repository, tmp_path):
    options = (f"-max_total_time={SESSION_SECONDS}", "-rss_limit_mb=1024")

    done = run_session(repository, tmp_path, *options, seconds=SESSION_SECONDS * 10)

    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done " in done.stderr


@needs_atheris
def test_finding_is_written_to_a_temporary_folder(repository, tmp_path):
    """A memory limit below the size of the process makes the first input a finding."""
    done = run_session(repository, tmp_path, "-rss_limit_mb=1", seconds=300)

    assert done.returncode != 0
    assert {"corpus", "temporary"} == {path.name for path in tmp_path.iterdir()}
    assert list((tmp_path / "temporary").glob("imgpipe-fuzz-*/oom-*"))
