"""Helpers change one bucket one after the other, so that none overwrites what another has just written."""

import threading

import pytest

from tests.lambda_bucket_notification.fakes import ACCOUNT, BUCKET, NOW, Bench, jpg, properties, ssm_error

PARAMETER = f"/imgpipe/bucket-notifications/{BUCKET}"
OTHER_STACK = f"arn:aws:cloudformation:eu-west-1:{ACCOUNT}:stack/other/7d1f0e40-c0de-11f0-8de9-0242ac120002"
ENDS = NOW + 120  # when the function that has the lock ends


class Intercepted:
    """The S3 client with something that happens before its first write."""

    def __init__(self, client, before_write):
        self._client, self._before_write = client, before_write

    def __getattr__(self, name):
        return getattr(self._client, name)

    def put_bucket_notification_configuration(self, **arguments):
        self._before_write()
        return self._client.put_bucket_notification_configuration(**arguments)


def test_two_helpers_at_once_lose_no_entry(bench):
    """The first has read and not yet written when the second begins; the second waits until the first has ended."""
    waits = threading.Event()
    first = Bench(bench.s3, bench.responses)
    first.connect = lambda: Intercepted(bench.s3.client, waits.wait)
    answers = []
    thread = threading.Thread(target=lambda: answers.append(first.create(properties(jpg(".jpg")))["Status"]))

    def sleep(seconds):
        bench.context.slept.append(seconds)
        waits.set()
        thread.join()

    bench.sleep = sleep
    has_lock = threading.Event()
    bench.s3.locks.after_put = has_lock.set
    thread.start()
    has_lock.wait()
    answers.append(bench.create(properties(jpg(".png")), StackId=OTHER_STACK)["Status"])

    assert answers == ["SUCCESS", "SUCCESS"]
    assert sorted(bench.s3.suffixes()) == [".jpg", ".png"]
    assert bench.context.slept[0] == 1
    assert bench.s3.locks.parameters == {}


def test_lock_ends_with_the_work(bench):
    assert bench.create()["Status"] == "SUCCESS"
    assert bench.s3.locks.calls == ["PutParameter", "GetParameter", "DeleteParameter"]
    assert bench.s3.locks.parameters == {}


def test_lock_ends_with_work_that_failed(bench):
    bench.s3.owner = "999988887777"

    assert bench.create()["Status"] == "FAILED"
    assert bench.s3.locks.parameters == {}


def test_lock_says_when_its_owner_ends(bench):
    bench.s3.locks.after_put = lambda: seen.update(bench.s3.locks.parameters)
    seen = {}

    bench.create()

    assert seen == {PARAMETER: f"{ENDS:.0f} r-1"}


def test_lock_of_a_running_helper_is_waited_for_while_there_is_time_to_answer(bench):
    bench.s3.locks.parameters[PARAMETER] = f"{NOW + 10_000:.0f} another"

    answer = bench.create()

    assert answer["Status"] == "FAILED"
    assert "another helper is changing its notifications" in answer["Reason"]
    assert bench.context.get_remaining_time_in_millis() >= 25_000
    assert bench.s3.calls == []
    assert bench.s3.locks.parameters == {PARAMETER: f"{NOW + 10_000:.0f} another"}


def test_lock_of_a_helper_that_has_ended_is_taken_over(bench):
    """Lambda ended it at the time that its lock says."""
    bench.s3.locks.parameters[PARAMETER] = f"{NOW + 12:.0f} killed"

    assert bench.create()["Status"] == "SUCCESS"
    assert bench.s3.suffixes() == [".jpg", ".png"]
    assert 12 <= sum(bench.context.slept) < 30
    assert bench.s3.locks.parameters == {}


def test_only_the_last_of_two_that_take_over_has_the_lock(bench):
    locks = bench.s3.locks
    locks.parameters[PARAMETER] = f"{NOW - 1:.0f} killed"
    locks.after_put = lambda: locks.parameters.update({PARAMETER: f"{NOW + 10_000:.0f} another"})

    assert bench.create()["Status"] == "FAILED"
    assert bench.s3.calls == []
    assert locks.parameters == {PARAMETER: f"{NOW + 10_000:.0f} another"}


@pytest.mark.parametrize(
    ("error", "slept"),
    [
        (ssm_error("ThrottlingException"), [1]),
        (ssm_error("TooManyUpdates"), [1]),
        (ssm_error("InternalServerError", 500), [1]),
        (ssm_error("AccessDeniedException"), [1]),  # the policy of a new role is not known everywhere at once
    ],
)
def test_errors_of_ssm_that_pass_are_waited_for(bench, error, slept):
    bench.s3.locks.faults = [error]

    assert bench.create()["Status"] == "SUCCESS"
    assert [pause for pause in bench.context.slept if pause] == slept


def test_refusal_of_ssm_is_told_with_the_bucket(bench):
    bench.s3.locks.faults = [ssm_error("AccessDeniedException")] * 50

    answer = bench.create()

    assert answer["Status"] == "FAILED"
    assert sum(bench.context.slept) <= 20
    assert f"{BUCKET}: PutParameter: AccessDeniedException: words of SSM" in answer["Reason"]
    assert bench.s3.calls == []


def test_lock_that_cannot_be_released_fails_nothing(bench):
    locks = bench.s3.locks
    locks.after_put = lambda: locks.faults.extend([ssm_error("ValidationException")])

    assert bench.create()["Status"] == "SUCCESS"
