"""What is noted of the calls of roles."""

from __future__ import annotations

import json

from imgpipe_templates.local.calls import CallLog


def test_a_call_of_a_role_is_noted_once_whoever_holds_its_session():
    calls = CallLog()
    for principal in ("arn:aws:sts::1:assumed-role/reader/one", "arn:aws:iam::1:role/path/reader"):
        calls.note(principal, "s3:GetObject", "arn:aws:s3:::photos/a.jpg", is_allowed=True)

    assert json.loads(calls.as_json()) == [
        {"role": "reader", "action": "s3:GetObject", "resource": "arn:aws:s3:::photos/a.jpg", "is_allowed": True}
    ]


def test_calls_of_others_are_not_kept():
    calls = CallLog()
    calls.note("arn:aws:iam::1:root", "s3:GetObject", "*", is_allowed=True)
    calls.note("arn:aws:iam::1:user/uploader", "s3:PutObject", "*", is_allowed=False)

    assert json.loads(calls.as_json()) == []
