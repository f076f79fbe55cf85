"""Rules about triggers of functions by S3 objects: recursive invocations, and uploads without a trigger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imgpipe_templates.checks.facts.allowed_actions import covers_action, full_access_policy
from imgpipe_templates.checks.facts.bucket_notifications import notifications
from imgpipe_templates.checks.facts.expressions import canonical, entries, mapping, split_arn
from imgpipe_templates.checks.facts.invocations import queue_mappings
from imgpipe_templates.checks.facts.object_keys import KeySet, event_pattern_keys, globs_overlap, prefix_and_suffix
from imgpipe_templates.checks.facts.policy_statements import Statement, role_statements
from imgpipe_templates.checks.facts.project_functions import environment_variables
from imgpipe_templates.checks.facts.service_deliveries import SUBSCRIPTION, parse_json
from imgpipe_templates.checks.facts.template import BUCKET, FUNCTION, QUEUE, ROLE, RULE, TOPIC, Resource, Template
from imgpipe_templates.checks.findings import Path, Violation
from imgpipe_templates.checks.rule import template_rule
from imgpipe_templates.promises import is_whole

# Event family (names of the S3 API's Event enumeration, botocore 1.43) -> actions that cause it.
_CAUSES = {
    "ObjectCreated": ("s3:PutObject",),
    "ObjectRemoved": ("s3:DeleteObject", "s3:DeleteObjectVersion"),
    "ObjectRestore": ("s3:RestoreObject",),
    "ObjectTagging": ("s3:PutObjectTagging", "s3:DeleteObjectTagging"),
    "ObjectAcl": ("s3:PutObjectAcl",),
}
# EventBridge detail-type -> event family (Amazon S3 User Guide, "Using EventBridge", read 2026-11).
_DETAIL_TYPES = {
    "Object Created": "ObjectCreated",
    "Object Deleted": "ObjectRemoved",
    "Object Restore Initiated": "ObjectRestore",
    "Object Restore Completed": "ObjectRestore",
    "Object Tags Added": "ObjectTagging",
    "Object Tags Deleted": "ObjectTagging",
    "Object ACL Updated": "ObjectAcl",
}


@dataclass(frozen=True)
class _Trigger:
    """A notification or a rule that invokes functions.

    Attributes:
        buckets: Name expressions of buckets, as globs.
        keys: The object keys of its filter.
        families: Keys of `_CAUSES`.
    """

    path: Path
    buckets: tuple[str, ...]
    keys: KeySet
    families: tuple[str, ...]
    functions: tuple[Resource, ...]


@template_rule(
    "E9502",
    "Recursive invocation: function can write objects that trigger it",
    "A write that matches the function's own trigger invokes the function again, in an endless loop.",
    # AWS Lambda Developer Guide, "Process Amazon S3 event notifications with Lambda" (warning), read 2026-11
    "https://docs.aws.amazon.com/lambda/latest/dg/with-s3.html",
)
def recursive_invocation(template: Template) -> Iterator[Violation]:
    for trigger in (*_native_triggers(template), *_eventbridge_triggers(template)):
        for function in trigger.functions:
            role = template.find(ROLE, function.properties.get("Role"))
            if role is not None:
                yield from _recursive_writes(template, trigger, function, role)


@template_rule(
    "E9593",
    "Processor without a trigger for uploads",
    "With a trigger for another bucket, prefix or event type no upload is processed, and no alarm changes its state.",
    # Amazon S3 User Guide, "Amazon S3 Event Notifications", read 2026-12
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html",
    convention=True,
)
def processor_without_trigger(template: Template) -> Iterator[Violation]:
    function = template.resources.get("ImageProcessorFunction")
    if function is None or not is_whole(template.body):
        return
    variables = environment_variables(function)
    bucket = template.find(BUCKET, variables.get("SOURCE_BUCKET"))
    prefix = _as_glob(template, template.resolved(variables.get("UPLOAD_PREFIX", "")))
    if bucket is not None and not any(
        function in trigger.functions
        and "ObjectCreated" in trigger.families
        and any(globs_overlap(template.name_of(bucket), name) for name in trigger.buckets)
        and trigger.keys.overlaps(f"{prefix}*")
        for trigger in (*_native_triggers(template), *_eventbridge_triggers(template))
    ):
        yield Violation(
            function.path,
            f"no rule or notification invokes it for new objects of {bucket.id} under {prefix!r}; change its trigger",
        )


def _recursive_writes(template: Template, trigger: _Trigger, function: Resource, role: Resource) -> Iterator[Violation]:
    remedy = "write to another bucket, or to a prefix outside of the trigger's filter"
    if found := full_access_policy(template, role):
        yield Violation(
            trigger.path,
            f"invokes {function.id}, which {found[1]} of {role.id} allows to write objects that invoke it again; "
            f"{remedy}",
        )
        return
    actions = [action for family in trigger.families for action in _CAUSES[family]]
    for statement in role_statements(template, role):
        for action in actions:
            if covers_action(statement, action) and (resource := _matching_resource(template, statement, trigger)):
                yield Violation(
                    trigger.path,
                    f"invokes {function.id}, which {statement.name} allows {action} on {resource}: it would invoke "
                    f"itself in an endless loop; {remedy}",
                )
                break


def _matching_resource(template: Template, statement: Statement, trigger: _Trigger) -> str | None:
    """Return the resource of a statement that overlaps the trigger's filter."""
    if "NotResource" in statement.body:
        return "*"
    for _, value in statement.listed("Resource"):
        text = template.resolved(value)
        if text == "*":
            return text
        parts = split_arn(text)
        if parts and parts[2] in ("s3", "*") and _overlaps_trigger(template, parts[5], trigger):
            return text
    return None


def _overlaps_trigger(template: Template, resource: str, trigger: _Trigger) -> bool:
    bucket, slash, key = resource.partition("/")
    if not slash and "*" not in bucket:
        return False
    if not any(globs_overlap(bucket, name) for name in trigger.buckets):
        return False
    return trigger.keys.overlaps(_as_glob(template, key) if slash else "*")


def _as_glob(template: Template, text: str) -> str:
    """Return a canonical text as a glob; a value that only the deployment knows becomes `*`."""
    text = template.with_defaults(text)
    while "${" in text:
        head, _, rest = text.partition("${")
        text = f"{head}*{rest.partition('}')[2]}"
    return text


def _native_triggers(template: Template) -> Iterator[_Trigger]:
    for bucket in template.of_type(BUCKET):
        for notification in notifications(template, bucket):
            functions = tuple(_invoked_functions(template, notification.target))
            if functions:
                keys = prefix_and_suffix(
                    _as_glob(template, notification.prefix), _as_glob(template, notification.suffix)
                )
                families = tuple(name for name in _CAUSES if notification.event.startswith(f"s3:{name}:"))
                yield _Trigger(notification.path, (template.name_of(bucket),), keys, families, functions)


def _eventbridge_triggers(template: Template) -> Iterator[_Trigger]:
    for rule in template.of_type(RULE):
        body = parse_json(rule.properties.get("EventPattern"))
        sources = [source for _, source in entries(body.get("source"))]
        if "aws.s3" not in sources or canonical(rule.properties.get("State")) == "DISABLED":
            continue
        targets = [mapping(target).get("Arn") for _, target in entries(rule.properties.get("Targets"))]
        functions = tuple(function for target in targets for function in _invoked_functions(template, target))
        detail = mapping(body.get("detail"))
        names = event_pattern_keys(_texts(template, mapping(detail.get("bucket")).get("name")))
        keys = event_pattern_keys(_texts(template, mapping(detail.get("object")).get("key"), as_globs=True))
        families = {
            _DETAIL_TYPES[str(kind)] for _, kind in entries(body.get("detail-type")) if str(kind) in _DETAIL_TYPES
        }
        buckets = tuple(pattern.glob for pattern in names.included)
        event_families = tuple(sorted(families)) if "detail-type" in body else tuple(_CAUSES)
        yield _Trigger(rule.at("EventPattern"), buckets, keys, event_families, functions)


def _texts(template: Template, condition: Any, *, as_globs: bool = False) -> Any:
    """Return a condition with every expression as resolved text, or as globs."""
    if condition is None:
        return None
    found: list[Any] = []
    for _, entry in entries(condition):
        if isinstance(entry, Mapping) and not any(str(key).startswith(("Ref", "Fn::")) for key in entry):
            found.append({name: _texts(template, value, as_globs=as_globs) for name, value in entry.items()})
        else:
            text = template.resolved(entry)
            found.append(_as_glob(template, text) if as_globs else text)
    return found if isinstance(condition, list) or not found else found[0]


def _invoked_functions(template: Template, target: Any) -> Iterator[Resource]:
    """Yield the functions that a message to a target invokes: the target itself, or consumers of a queue or topic."""
    if function := template.find(FUNCTION, target):
        yield function
    elif queue := template.find(QUEUE, target):
        yield from (one.function for one in queue_mappings(template) if one.queue is queue)
    elif topic := template.find(TOPIC, target):
        for subscription in template.of_type(SUBSCRIPTION):
            endpoint = subscription.properties.get("Endpoint")
            is_subscribed = template.find(TOPIC, subscription.properties.get("TopicArn")) is topic
            if is_subscribed and endpoint is not None and template.find(TOPIC, endpoint) is None:
                yield from _invoked_functions(template, endpoint)
