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


@pytest.mark.skipif(find_spec("atheris") is None, reason="there is no atheris for this Python or machine")
def test_short_session_finds_nothing(repository, tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.fuzz.target", tmp_path / "corpus"),
            *("-seed=1", f"-max_total_time={SESSION_SECONDS}", "-timeout=60", "-rss_limit_mb=1024"),
            f"-artifact_prefix={tmp_path}/",
        ],
        cwd=tmp_path,
        env={"PYTHONPATH": ":".join(map(str, (repository, repository / "lambda" / "processor")))},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=SESSION_SECONDS * 10,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done " in done.stderr
