"""Events on their way to a function: asynchronous invocations with retries and dead letters, and a journal of all.

Source: AWS Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation", read 2026-11.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from urllib.parse import unquote_plus

_THROTTLE_SECONDS = (0.1, 2.0)  # first and longest wait of a throttled event; AWS: 1 s to 5 min
_MAX_EVENT_AGE_SECONDS = 21_600  # Lambda quotas, "Asynchronous event age", read 2026-11
_MAX_RETRY_ATTEMPTS = 2
_LOG_CHARACTERS = 8_192  # enough for a traceback; the whole is in the log group


@dataclass(frozen=True)
class ObjectVersion:
    """The object that an S3 event is about; `version_id` is empty in a bucket without versions."""

    bucket: str
    key: str
    version_id: str

    @classmethod
    def of(cls, bucket: str, key: str, version_id: str | None) -> ObjectVersion:
        """As a service names it; "null" is S3's word for the version of an object that has none."""
        return cls(bucket, key, "" if version_id in {None, "null"} else str(version_id))


@dataclass
class Delivery:
    """One event on its way to a function: in a queue, a message that a function has taken at least once.

    Attributes:
        state: waiting | succeeded | failed | refused.
        log: What the function logged on its last attempt, if that failed.
        dead_letter: ARN of where the event was put after the last attempt, empty if nowhere.
    """

    function: str
    objects: tuple[ObjectVersion, ...]
    state: str = "waiting"
    attempts: int = 0
    error: str = ""
    log: str = ""
    dead_letter: str = ""

    def note_attempt(self, error: str = "", log: object = "") -> None:
        """A function ran for it; without an error it has done its work."""
        self.attempts += 1
        self.error = error
        self.log = str(log)[-_LOG_CHARACTERS:] if error else ""


@dataclass
class Journal:
    """Every event that was sent to a function since the engine started, but for direct invocations."""

    entries: list[Delivery] = field(default_factory=list)
    _messages: dict[str, Delivery] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self, function: str, event: object, *, refused: str = "") -> Delivery:
        """Note that an event is to be delivered, or why it is refused."""
        delivery = Delivery(function, objects_of(event), "refused" if refused else "waiting", error=refused)
        with self._lock:
            self.entries.append(delivery)
        return delivery

    def of_message(self, function: str, message_id: str, body: str) -> Delivery:
        """What is noted of a message of a queue, which comes back until it is done or dead."""
        if message_id not in self._messages:
            self._messages[message_id] = self.open(function, _decoded(body))
        return self._messages[message_id]

    def as_json(self) -> bytes:
        """The whole journal, oldest first."""
        with self._lock:
            return json.dumps([asdict(entry) for entry in self.entries]).encode()


def is_s3_notification(event: object) -> bool:
    """Whether S3 itself sent the event, without EventBridge."""
    return isinstance(event, dict) and "detail-type" not in event and bool(objects_of(event))


def objects_of(event: object) -> tuple[ObjectVersion, ...]:
    """The objects that an S3 notification or S3's event on EventBridge is about; none for other events."""
    if isinstance(event, dict) and event.get("source") == "aws.s3":
        detail = event["detail"]
        thing = detail["object"]
        return (ObjectVersion.of(detail["bucket"]["name"], thing["key"], thing.get("version-id")),)
    records = event.get("Records") if isinstance(event, dict) else None
    found = []
    for record in records if isinstance(records, list) else []:
        if isinstance(record, dict) and record.get("eventSource") == "aws:s3":
            s3 = record["s3"]
            key, version = unquote_plus(s3["object"]["key"]), s3["object"].get("versionId")
            found.append(ObjectVersion.of(s3["bucket"]["name"], key, version))
    return tuple(found)


@dataclass(frozen=True)
class RetryPolicy:
    """How long Lambda keeps trying.

    Attributes:
        base_seconds: Wait before the first retry; the second waits twice as long. AWS: 60.
        is_switched_off: Reserved concurrency 0: the event is not tried at all.
    """

    base_seconds: float
    attempts: int = _MAX_RETRY_ATTEMPTS + 1
    max_age_seconds: float = _MAX_EVENT_AGE_SECONDS
    is_switched_off: bool = False

    @classmethod
    def of(cls, invoke_config: Mapping[str, Any] | None, reserved: int | None, base_seconds: float) -> RetryPolicy:
        """The policy of a function with this EventInvokeConfig and reserved concurrency."""
        config = invoke_config or {}
        retries = config.get("MaximumRetryAttempts")
        return cls(
            base_seconds=base_seconds,
            attempts=(_MAX_RETRY_ATTEMPTS if retries is None else int(retries)) + 1,
            max_age_seconds=float(config.get("MaximumEventAgeInSeconds") or _MAX_EVENT_AGE_SECONDS),
            is_switched_off=reserved == 0,
        )


def deliver(
    delivery: Delivery,
    policy: RetryPolicy,
    execute: Callable[[], Mapping[str, Any]],
    sleep: Callable[[float], None] = time.sleep,
) -> Mapping[str, Any] | None:
    """Try until it worked or the policy gives up.

    Args:
        delivery: Where attempts and the last error are noted; its state is left to the caller.
        policy: When to stop.
        execute: One attempt; its result has `error`, `throttle` and `body` as the engine's executors give them.
        sleep: Waits for seconds.

    Returns:
        None if an attempt succeeded, otherwise the last result.
    """
    if policy.is_switched_off:
        delivery.error = "reserved concurrency is 0"
        return {"error": True, "body": {"errorType": "TooManyRequestsException", "errorMessage": delivery.error}}
    began = time.monotonic()
    throttled, longest = _THROTTLE_SECONDS
    while True:
        result = execute()
        if result.get("throttle"):
            wait, throttled = throttled, min(throttled * 2, longest)
        elif not result.get("error"):
            delivery.note_attempt()
            return None
        else:
            delivery.note_attempt(error_text(result.get("body")), result.get("log", ""))
            wait = policy.base_seconds * 2 ** (delivery.attempts - 1)
        if delivery.attempts >= policy.attempts or time.monotonic() - began + wait > policy.max_age_seconds:
            return result
        sleep(wait)


def error_text(body: object) -> str:
    """A function's error document in one line."""
    if not isinstance(body, dict):
        return str(body)
    return ": ".join(str(body[part]) for part in ("errorType", "errorMessage") if body.get(part))


def send_dead_letter(target: str, event: object, delivery: Delivery, client: Callable[[str], Any]) -> None:
    """Put the event where DeadLetterConfig says, with the attributes Lambda adds, and note it in `delivery`.

    Args:
        target: ARN of an SQS queue or SNS topic.
        event: The event as the function got it.
        delivery: Its history.
        client: boto3 client by service name, with the credentials of the function's role.
    """
    attributes = {
        "RequestID": {"DataType": "String", "StringValue": str(uuid.uuid4())},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": delivery.error[:1024] or "unknown"},
    }
    if target.split(":")[2] == "sqs":
        sqs = client("sqs")
        sqs.send_message(QueueUrl=queue_url(sqs, target), MessageBody=json.dumps(event), MessageAttributes=attributes)
    else:
        client("sns").publish(TopicArn=target, Message=json.dumps(event), MessageAttributes=attributes)
    delivery.dead_letter = target


def _decoded(body: str) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return None


def queue_url(sqs: Any, arn: str) -> str:
    """Where a queue of the engine is spoken to."""
    account, name = arn.split(":")[4:6]
    return f"{sqs.meta.endpoint_url}/{account}/{name}"
