"""Every rule of the project, in one tuple; nothing is discovered."""

from __future__ import annotations

from imgpipe_templates.checks.rules import (
    alarms,
    deliveries,
    events,
    functions,
    iam,
    limits,
    loops,
    patterns,
    portability,
    queues,
    roles,
    storage,
    tags,
    thresholds,
)

RULES = (
    *events.RULES,
    *loops.RULES,
    *deliveries.RULES,
    *queues.RULES,
    *patterns.RULES,
    *storage.RULES,
    *functions.RULES,
    *alarms.RULES,
    *thresholds.RULES,
    *tags.RULES,
    *portability.RULES,
    *iam.RULES,
    *roles.RULES,
    *limits.RULES,
)
