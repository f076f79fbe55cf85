"""The rule against pipelines that feed themselves: a write of a triggered function that can fire its trigger."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from imgpipe_templates.checks.deliveries import parsed
from imgpipe_templates.checks.keys import Keys, event_pattern_keys, globs_meet, prefix_and_suffix
from imgpipe_templates.checks.model import Fault, Path, Rule
from imgpipe_templates.checks.policies import Statement, full_access_policy, may_do, statements_of
from imgpipe_templates.checks.rules.events import notifications
from imgpipe_templates.checks.template import (
    BUCKET,
    FUNCTION,
    QUEUE,
    ROLE,
    TOPIC,
    Resource,
    Template,
)
from imgpipe_templates.checks.values import canonical, entries, mapping, split_arn
from imgpipe_templates.promises import is_whole

# Event family (names as in the S3 API's Event enumeration, botocore 1.43) -> actions that cause it.
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
    """What starts some functions.

    Attributes:
        buckets: Name expressions of buckets, as globs.
        families: Keys of `_CAUSES`.
    """

    path: Path
    buckets: tuple[str, ...]
    keys: Keys
    families: tuple[str, ...]
    functions: tuple[Resource, ...]


def _loops(template: Template) -> Iterator[Fault]:
    for trigger in (*_native_triggers(template), *_eventbridge_triggers(template)):
        for function in trigger.functions:
            role = template.find(ROLE, function.properties.get("Role"))
            if role is not None:
                yield from _feeding(template, trigger, function, role)


def _unstarted(template: Template) -> Iterator[Fault]:
    """The fault of a processor of this project that no upload into its bucket starts."""
    function = template.resources.get("ImageProcessorFunction")
    if function is None or not is_whole(template.body):
        return
    variables = mapping(mapping(function.properties.get("Environment")).get("Variables"))
    bucket = template.find(BUCKET, variables.get("SOURCE_BUCKET"))
    prefix = _open(template, template.resolved(variables.get("UPLOAD_PREFIX", "")))
    if bucket is not None and not any(
        function in trigger.functions
        and "ObjectCreated" in trigger.families
        and any(globs_meet(template.name_of(bucket), wanted) for wanted in trigger.buckets)
        and trigger.keys.can_hold(f"{prefix}*")
        for trigger in (*_native_triggers(template), *_eventbridge_triggers(template))
    ):
        yield Fault(
            function.path,
            f"no rule or notification starts it when something is created in {bucket.id} below {prefix!r}; "
            "let its trigger match that",
        )


def _feeding(template: Template, trigger: _Trigger, function: Resource, role: Resource) -> Iterator[Fault]:
    remedy = "write to another bucket, or to a prefix that the trigger excludes"
    if found := full_access_policy(template, role):
        yield Fault(
            trigger.path,
            f"starts {function.id}, which may write what starts it again by {found[1]} of {role.id}; {remedy}",
        )
        return
    actions = [action for family in trigger.families for action in _CAUSES[family]]
    for statement in statements_of(template, role):
        for action in actions:
            if may_do(statement, action) and (resource := _hit(template, statement, trigger)):
                yield Fault(
                    trigger.path,
                    f"starts {function.id}, which {statement.name} allows {action} on {resource}: it would start "
                    f"itself again, without end; {remedy}",
                )
                break


def _hit(template: Template, statement: Statement, trigger: _Trigger) -> str | None:
    """The resource pattern of a statement that can fire the trigger."""
    if "NotResource" in statement.body:
        return "*"
    for _, value in statement.listed("Resource"):
        text = template.resolved(value)
        if text == "*":
            return text
        parts = split_arn(text)
        if parts and parts[2] in ("s3", "*") and _hits(template, parts[5], trigger):
            return text
    return None


def _hits(template: Template, resource: str, trigger: _Trigger) -> bool:
    bucket, slash, key = resource.partition("/")
    if not slash and "*" not in bucket:
        return False
    if not any(globs_meet(bucket, wanted) for wanted in trigger.buckets):
        return False
    return trigger.keys.can_hold(_open(template, key) if slash else "*")


def _open(template: Template, text: str) -> str:
    """A canonical text as a glob: what only deployment knows may be anything."""
    text = template.with_defaults(text)
    while "${" in text:
        head, _, rest = text.partition("${")
        text = f"{head}*{rest.partition('}')[2]}"
    return text


def _native_triggers(template: Template) -> Iterator[_Trigger]:
    for bucket in template.of_type(BUCKET):
        for notification in notifications(template, bucket):
            functions = tuple(_functions_behind(template, notification.target))
            if functions:
                keys = prefix_and_suffix(_open(template, notification.prefix), _open(template, notification.suffix))
                families = tuple(name for name in _CAUSES if notification.event.startswith(f"s3:{name}:"))
                yield _Trigger(notification.path, (template.name_of(bucket),), keys, families, functions)


def _eventbridge_triggers(template: Template) -> Iterator[_Trigger]:
    for rule in template.of_type("AWS::Events::Rule"):
        body = parsed(rule.properties.get("EventPattern"))
        sources = [source for _, source in entries(body.get("source"))]
        if "aws.s3" not in sources or canonical(rule.properties.get("State")) == "DISABLED":
            continue
        targets = [mapping(target).get("Arn") for _, target in entries(rule.properties.get("Targets"))]
        functions = tuple(function for target in targets for function in _functions_behind(template, target))
        detail = mapping(body.get("detail"))
        names = event_pattern_keys(_texts(template, mapping(detail.get("bucket")).get("name")))
        keys = event_pattern_keys(_texts(template, mapping(detail.get("object")).get("key"), opened=True))
        families = {
            _DETAIL_TYPES[str(kind)] for _, kind in entries(body.get("detail-type")) if str(kind) in _DETAIL_TYPES
        }
        buckets = tuple(pattern.glob for pattern in names.patterns)
        chosen = tuple(sorted(families)) if "detail-type" in body else tuple(_CAUSES)
        yield _Trigger(rule.at("EventPattern"), buckets, keys, chosen, functions)


def _texts(template: Template, condition: Any, *, opened: bool = False) -> Any:
    """A condition with every expression in it as resolved text; `opened` makes globs of them."""
    if condition is None:
        return None
    found: list[Any] = []
    for _, entry in entries(condition):
        if isinstance(entry, Mapping) and not any(str(key).startswith(("Ref", "Fn::")) for key in entry):
            found.append({name: _texts(template, value, opened=opened) for name, value in entry.items()})
        else:
            text = template.resolved(entry)
            found.append(_open(template, text) if opened else text)
    return found if isinstance(condition, list) or not found else found[0]


def _functions_behind(template: Template, target: Any) -> Iterator[Resource]:
    """The functions that a message to a target starts: the target itself, or behind a queue or a topic."""
    if function := template.find(FUNCTION, target):
        yield function
    elif queue := template.find(QUEUE, target):
        for source in template.of_type("AWS::Lambda::EventSourceMapping"):
            if template.find(QUEUE, source.properties.get("EventSourceArn")) is queue:
                consumer = template.find(FUNCTION, source.properties.get("FunctionName"))
                yield from [consumer] if consumer else []
    elif topic := template.find(TOPIC, target):
        for subscription in template.of_type("AWS::SNS::Subscription"):
            endpoint = subscription.properties.get("Endpoint")
            is_ours = template.find(TOPIC, subscription.properties.get("TopicArn")) is topic
            if is_ours and endpoint is not None and template.find(TOPIC, endpoint) is None:
                yield from _functions_behind(template, endpoint)


RULES = (
    Rule(
        "E9502",
        "A function may write what starts it",
        "A write of the function that passes the filter of its own trigger starts it again, and again.",
        # AWS Lambda Developer Guide, "Process Amazon S3 event notifications with Lambda" (warning), read 2026-11
        "https://docs.aws.amazon.com/lambda/latest/dg/with-s3.html",
        _loops,
    ),
    Rule(
        "E9593",
        "Processor that no upload starts",
        "A trigger of another bucket, prefix or kind of event leaves the pipeline waiting, and no alarm goes off.",
        # Amazon S3 User Guide, "Amazon S3 Event Notifications", read 2026-12
        "https://docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html",
        _unstarted,
        convention=True,
    ),
)
