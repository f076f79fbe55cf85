"""The templates of every option have no violations, in any layout."""

from __future__ import annotations

import json
from datetime import date

import pytest

from imgpipe_templates.checks.facts.merged_layout import merge_stacks
from imgpipe_templates.checks.facts.template import Template
from imgpipe_templates.checks.profiles import PROJECT
from imgpipe_templates.checks.rules import RULES
from imgpipe_templates.checks.template_validation import check_stacks
from imgpipe_templates.config import load_preset
from imgpipe_templates.library import render_pipeline
from imgpipe_templates.render.text import to_json

TODAY = date(2026, 11, 20)
LOOKUPS = ('metadata.indexes=["upload-timestamp", "user"]', "uploads.user_id=first-folder")
OPTIONS = {
    "new VPC": ("vpc=true",),
    "existing subnets": ("vpc=true", "network.subnets=existing"),
    "native": ("trigger=s3",),
    "custom resource": ("trigger=custom-resource",),
    "rule": ("trigger=eventbridge",),
    "queue of a rule": ("trigger=queue", "queue.fed_by=eventbridge", "customer_managed_key=true"),
    "queue of S3": ("trigger=queue", "queue.fed_by=s3", "customer_managed_key=true"),
    "batches": ("trigger=queue", "queue.batch_size=10"),
    "one bucket": ("storage.buckets=one", "uploads.prefix=uploads/", "storage.output_prefix=thumbnails/"),
    "access logs and CORS": ("storage.access_logs=true", 'storage.cors_origins=["https://a.example"]'),
    "managed policies": ("security.policies=managed", "security.permissions_boundary=true", "security.tracing=true"),
    "AWS managed policy for logs": ("security.basic_execution_policy=true",),
    "API with tokens": ("retrieval.enabled=true", "retrieval.authorization=jwt", *LOOKUPS),
    "API without authorization": ("retrieval.enabled=true", "retrieval.authorization=none", *LOOKUPS),
    "snapshots": ("retrieval.enabled=true", "retrieval.snap_start=true", *LOOKUPS),
    "provisioned": ("retrieval.enabled=true", "retrieval.provisioned_concurrency=2", *LOOKUPS),
    "generated names": ("names=generated",),
    "backups and budget": ("backups=true", "budget=true", "customer_managed_key=true"),
    "dashboard and table alarms": ("monitoring.dashboard=true", "monitoring.table_alarms=true"),
    "Pillow layer": (
        "processing.pillow=layer",
        "processing.heic=true",
        'uploads.extensions=["heic"]',
        "processing.engine=libvips",
    ),
    "animated": ("processing.output.animation=webp", "processing.output.background=#ffffff"),
    "AVIF": ("processing.output.format=avif", "processing.output.avif_quality=50"),
    "deletion policy": ("deletion_policy=delete",),
}


@pytest.mark.parametrize("preset", ["production", "single-bucket"])
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_templates_of_option_have_no_violations(preset, options):
    config = load_preset(preset, options)
    for layout in ("single", "nested", "exports"):
        rendered = render_pipeline(config, layout)
        stacks = {name: json.loads(to_json(template)) for name, template in rendered.stacks.items()}
        views = {name: Template(body, today=TODAY, profile=PROJECT) for name, body in stacks.items()}
        violations = {
            (name, rule.id, *violation.path)
            for name, view in views.items()
            for rule in RULES
            for violation in rule.violations(view)
        }
        assert violations == set()
        assert check_stacks(stacks, {}) == []
        layout_template = Template(merge_stacks(stacks), today=TODAY, profile=PROJECT)
        assert [(rule.id, *violation.path) for rule in RULES for violation in rule.violations(layout_template)] == []
