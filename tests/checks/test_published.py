"""Counts of findings in published templates by rule, to detect a rule that becomes too strict.

The templates are not part of the project. IMGPIPE_PUBLISHED is the folder with clones of their repositories
(tools/published.py describes it).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from imgpipe_templates.checks.rules import RULES
from tools.published import COUNTS, clone_of, count

PUBLISHED = os.environ.get("IMGPIPE_PUBLISHED")
RECORDED = json.loads(COUNTS.read_text(encoding="utf-8"))


def test_counts_contain_no_conventions():
    rules = {rule.id for rule in RULES if not rule.convention}

    for one in RECORDED:
        assert len(one["commit"]) == 40
        assert one["findings"].keys() <= rules


@pytest.mark.skipif(not PUBLISHED, reason="IMGPIPE_PUBLISHED names no folder with clones of published templates")
@pytest.mark.parametrize("recorded", RECORDED, ids=lambda one: one["repository"])
def test_published_templates_have_the_recorded_findings(recorded):
    clone = clone_of(Path(PUBLISHED or ""), recorded["repository"])

    assert count(clone, recorded["repository"], recorded["commit"]) == recorded
