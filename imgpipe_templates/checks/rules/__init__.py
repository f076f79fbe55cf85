"""Every rule of the project, in one tuple; nothing is discovered."""

from __future__ import annotations

from imgpipe_templates.checks.rules import (
    alarms,
    dashboards,
    deliveries,
    events,
    exposure,
    functions,
    iam,
    limits,
    loops,
    names,
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
    *exposure.RULES,
    *functions.RULES,
    *alarms.RULES,
    *thresholds.RULES,
    *dashboards.RULES,
    *tags.RULES,
    *portability.RULES,
    *iam.RULES,
    *roles.RULES,
    *limits.RULES,
    *names.RULES,
)
