"""The rules over published templates: counts by rule, so that a rule that becomes too strict is seen.

The templates are other people's and are not kept; where their repositories are cloned, IMGPIPE_PUBLISHED names the
folder (tools/published.py says how).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from imgpipe_templates.checks.rules import RULES
from tools.published import COUNTS, clone_of, count

PUBLISHED = os.environ.get("IMGPIPE_PUBLISHED")
SAID = json.loads(COUNTS.read_text(encoding="utf-8"))


def test_counts_are_of_rules_that_are_asked_of_anybody():
    asked = {rule.id for rule in RULES if not rule.convention}

    for one in SAID:
        assert len(one["commit"]) == 40
        assert one["findings"].keys() <= asked


@pytest.mark.skipif(not PUBLISHED, reason="IMGPIPE_PUBLISHED names no folder with clones of published templates")
@pytest.mark.parametrize("said", SAID, ids=lambda one: one["repository"])
def test_published_templates_have_the_findings_that_were_read(said):
    clone = clone_of(Path(PUBLISHED or ""), said["repository"])

    assert count(clone, said["repository"], said["commit"]) == said
