"""Mistakes that the type checker must find. Only mypy reads this file.

mypy reports a comment that ignores no error (`warn_unused_ignores`), so each mistake below must remain an error.
"""

from __future__ import annotations

from imgpipe_templates import grants, load_preset
from imgpipe_templates.core.handles import Bucket, Function, HttpApi, Table
from imgpipe_templates.core.layouts import Assembly
from imgpipe_templates.core.stack import FunctionCode, Scope
from imgpipe_templates.patterns.buckets import BucketSettings
from imgpipe_templates.subsystems.storage import StorageConfig, add_storage


def grant_requires_a_handle_of_the_right_kind(bucket: Bucket, function: Function) -> None:
    grants.read_objects(bucket)
    grants.read_objects(function)  # type: ignore[arg-type]
    grants.keep_items(bucket)  # type: ignore[arg-type]
    grants.write_objects("arn:aws:s3:::photos")  # type: ignore[arg-type]


def handle_has_only_the_values_of_its_kind(table: Table, bucket: Bucket, api: HttpApi) -> None:
    table.objects_arn()  # type: ignore[attr-defined]
    bucket.anr  # type: ignore[attr-defined] # noqa: B018 - the misspelt name is the mistake
    api.below("/*")  # type: ignore[attr-defined]


def subsystem_requires_all_its_arguments(assembly: Assembly, scope: Scope) -> None:
    settings = BucketSettings("keep")  # type: ignore[arg-type]
    assembly.build("storage", add_storage, StorageConfig(), settings)  # type: ignore[call-arg]
    add_storage(scope, StorageConfig(), settings, route=None)  # type: ignore[arg-type]


def code_record_has_fields_and_no_keys(code: FunctionCode) -> None:
    code["package"]  # type: ignore[index]
    code.package = "other"  # type: ignore[misc]


def configuration_is_read_only() -> None:
    load_preset("thumbnails").processing.memory_mb = 1024  # type: ignore[misc]
