"""The trigger by EventBridge: a rule picks the uploads out of the bucket's events and invokes the processor.

Buckets and function do not know each other: the bucket sends all its events to the account's bus, and the rule's own
pattern lets through just the wanted keys, so that nothing else costs an invocation.
"""

from __future__ import annotations

from troposphere import events

from imgpipe_templates.core.handles import Bucket, Function, Queue
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.patterns.permissions import add_invoke_permission
from imgpipe_templates.patterns.uploads import UploadFilter, add_upload_rule


def add_eventbridge_trigger(
    scope: Scope, *, source: Bucket, uploads: UploadFilter, processor: Function, dead_letters: Queue
) -> None:
    """Add the rule, and the permission for just this rule to invoke `processor`."""
    rule_arn = add_upload_rule(
        scope,
        uploads,
        source=source,
        target=events.Target(Id="ImageProcessor", Arn=processor.arn),
        description="Uploads that the processor is to handle",
        dead_letters=dead_letters,
    )
    add_invoke_permission(scope, processor, service="events.amazonaws.com", source_arn=rule_arn)
