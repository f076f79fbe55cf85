"""Mistakes that the type checker must find; only mypy reads this file.

A comment that ignores an error which is no longer one is itself an error (`warn_unused_ignores`).
"""

from __future__ import annotations

from imgpipe_templates import grants, load_preset
from imgpipe_templates.core.handles import Bucket, Function, Table
from imgpipe_templates.core.layouts import Assembly
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.patterns.buckets import BucketSettings
from imgpipe_templates.subsystems.storage import StorageConfig, add_storage


def a_grant_takes_the_right_kind_of_thing(bucket: Bucket, function: Function) -> None:
    grants.read_objects(bucket)
    grants.read_objects(function)  # type: ignore[arg-type]
    grants.keep_items(bucket)  # type: ignore[arg-type]
    grants.write_objects("arn:aws:s3:::photos")  # type: ignore[arg-type]


def a_handle_has_only_what_its_kind_has(table: Table) -> None:
    table.objects_arn()  # type: ignore[attr-defined]


def a_wire_cannot_be_left_out(assembly: Assembly, scope: Scope) -> None:
    settings = BucketSettings("keep")  # type: ignore[arg-type]
    assembly.build("storage", add_storage, StorageConfig(), settings)  # type: ignore[call-arg]
    add_storage(scope, StorageConfig(), settings, route=None)  # type: ignore[arg-type]


def a_configuration_cannot_be_changed() -> None:
    load_preset("thumbnails").processing.memory_mb = 1024  # type: ignore[misc]
