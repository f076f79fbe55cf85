"""Every rule of the project, in one tuple; nothing is discovered."""

from __future__ import annotations

from imgpipe_templates.checks.rules import (
    alarms,
    events,
    functions,
    iam,
    limits,
    loops,
    portability,
    storage,
    tags,
    thresholds,
)

RULES = (
    *events.RULES,
    *loops.RULES,
    *storage.RULES,
    *functions.RULES,
    *alarms.RULES,
    *thresholds.RULES,
    *tags.RULES,
    *portability.RULES,
    *iam.RULES,
    *limits.RULES,
)
