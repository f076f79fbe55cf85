"""One invocation: whatever happens, CloudFormation gets one answer, and the log one line."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult

from .answer import FAILED, SUCCESS, make_body, read_url, send
from .deadline import Deadline
from .errors import OutOfTimeError, RequestError, ResponseError
from .lock import Locks
from .log import write_line
from .request import NOT_CREATED, read_request
from .work import Progress, fulfil


@dataclass(frozen=True)
class Outcome:
    """How a request ended.

    Args:
        reason: why it failed; for CloudFormation and the log.
        detail: for whoever reads the log of a fault: the error with its place in the code.
    """

    status: str
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Helper:
    """What every invocation works with.

    Args:
        connect: gives the S3 client. It is called inside the invocation, because a function that fails while it starts
            answers nobody.
        connect_locks: gives the SSM client, likewise.
        clock: seconds since 1970.
        work_ends_seconds: before the end of the function, no call to S3 is begun any more. A call takes up to 13
            seconds (aws.py), and there must be time for the answer after it.
        answer_begins_seconds: before the end of the function, FAILED is sent, whatever the work is waiting for.
    """

    connect: Callable[[], Any]
    connect_locks: Callable[[], Any]
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.time
    work_ends_seconds: float = 25.0
    answer_begins_seconds: float = 10.0

    def handle(self, event: Any, context: Any) -> dict[str, str]:
        """Fulfil a request and answer it; the status is returned too, for whoever invokes the function by hand.

        Raises:
            ResponseError: the answer could not be sent. Lambda then delivers the request again, and to do it twice does
                no harm.
        """
        invocation = Invocation(self, event, context)
        try:
            url = read_url(event)
        except RequestError as error:  # nobody waits for an answer, so nothing is changed either
            invocation.log(Outcome(FAILED, str(error)))
            return {"Status": FAILED}
        watch = threading.Timer(
            max(0.0, invocation.seconds_left() - self.answer_begins_seconds), invocation.answer_late, (url,)
        )
        watch.daemon = True
        watch.start()
        try:
            return {"Status": invocation.answer(url, invocation.work())}
        finally:
            watch.cancel()


class Invocation:
    """One invocation, on its way to its one answer.

    Two threads may want to give it: the one that works, and the one that watches the time.
    """

    def __init__(self, helper: Helper, event: Any, context: Any) -> None:
        self._helper = helper
        self._event: Mapping[str, Any] = event if isinstance(event, Mapping) else {}
        self._context = context
        self._started = time.monotonic()
        self._progress = Progress(_physical_id(self._event))
        self._lock = threading.Lock()
        self._answered: str | None = None

    def seconds_left(self) -> float:
        """Seconds until Lambda ends the function."""
        return float(self._context.get_remaining_time_in_millis()) / 1000

    def work(self) -> Outcome:
        """Do what is requested; whatever goes wrong is an outcome."""
        deadline = Deadline(self.seconds_left, self._helper.sleep, self._helper.work_ends_seconds)
        try:
            request, helper = read_request(self._event), self._helper
            locks = Locks(helper.connect_locks(), str(self._context.aws_request_id), helper.clock, deadline)
            fulfil(request, helper.connect(), locks, deadline, self._progress)
        except (RequestError, OutOfTimeError) as error:
            return Outcome(FAILED, f"{_name(self._event)}: {error}")
        except Exception as error:  # noqa: BLE001  CloudFormation would wait an hour for an answer
            detail = "".join(traceback.format_exception(error))
            return Outcome(FAILED, f"{_name(self._event)}: {type(error).__name__}; expected no error but S3's", detail)
        return Outcome(SUCCESS)

    def answer(self, url: SplitResult, outcome: Outcome) -> str:
        """Answer CloudFormation, unless that has been done; return the status that it got.

        Raises:
            ResponseError: the answer could not be sent.
        """
        with self._lock:
            if self._answered:
                return self._answered
            where = f"log stream {self._context.log_stream_name}"
            body = make_body(self._event, outcome.status, self._progress.physical_id, outcome.reason, where=where)
            try:
                send(url, body, seconds_left=self.seconds_left, sleep=self._helper.sleep)
            except ResponseError as error:
                self._progress.notes.append(str(error))
                raise
            else:
                self._answered = outcome.status
            finally:
                self.log(outcome)
            return outcome.status

    def answer_late(self, url: SplitResult) -> None:
        """Answer in place of work that does not end."""
        reason = f"{_name(self._event)}: the function's time is over; expected S3 to have answered by now"
        with suppress(ResponseError):  # is in the log; Lambda ends the function soon, and delivers the request again
            self.answer(url, Outcome(FAILED, reason))

    def log(self, outcome: Outcome) -> None:
        """Write the invocation's line; the response URL is a secret and not in it."""
        properties = self._event.get("ResourceProperties")
        facts = {
            "level": "INFO" if outcome.status == SUCCESS else "ERROR",
            "event": str(self._event.get("RequestType", "")),
            "request_id": self._context.aws_request_id,
            "stack_id": str(self._event.get("StackId", "")),
            "logical_resource_id": str(self._event.get("LogicalResourceId", "")),
            "physical_resource_id": self._progress.physical_id,
            "bucket": str(properties.get("BucketName", "")) if isinstance(properties, Mapping) else "",
            "status": outcome.status,
            "reason": outcome.reason,
            "detail": outcome.detail,
            "notes": self._progress.notes,
            "seconds": round(time.monotonic() - self._started, 3),
        }
        write_line({name: value for name, value in facts.items() if value not in ("", [])})


def _physical_id(event: Mapping[str, Any]) -> str:
    """The physical id to answer with, as long as nothing has been created: it may not be empty."""
    given = event.get("PhysicalResourceId")
    return given if isinstance(given, str) and given else NOT_CREATED


def _name(event: Mapping[str, Any]) -> str:
    """Which resource of which stack a reason is about."""
    stack_id, logical_id = (str(event.get(name, "")) for name in ("StackId", "LogicalResourceId"))
    _, _, stack = stack_id.partition(":stack/")
    return f"{stack.partition('/')[0] or 'unknown stack'}: {logical_id or 'unknown resource'}"
