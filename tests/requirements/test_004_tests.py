"""Document 004, what it asks of the tests themselves."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
# Places that are this machine's or this user's, and how a test would get at the user's account.
# /opt/python is Lambda's, for what layers bring.
FOLDERS = r"/(?:home|root|tmp|Users|opt(?!/python/)|mnt)/"
ASSUMED = re.compile(rf"^{FOLDERS}|~/\.aws|^AWS_(?:PROFILE|SHARED_CREDENTIALS_FILE)$")
OWN_CLIENTS = {"client", "resource", "Session", "setup_default_session"}


def assumptions(source: str) -> Iterator[str]:
    """What a test says that is true on some machines, or in some accounts, only."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(value=ast.Name(id="boto3"), attr=name) if name in OWN_CLIENTS:
                yield f"boto3.{name}"
            case ast.Constant(value=str(text)) if ASSUMED.search(text):
                yield text


@pytest.mark.line("004-26")
def test_no_test_leans_on_an_account_or_on_a_folder_of_this_machine():
    """Clients come from the engine's session, folders from pytest."""
    suspicious = re.compile(rf"boto3\.|{FOLDERS}|~/\.aws|AWS_(?:PROFILE|SHARED)")
    sources = {path: path.read_text(encoding="utf-8") for path in TESTS.rglob("*.py") if path != Path(__file__)}
    found = {
        path.relative_to(TESTS).as_posix(): list(assumptions(source))
        for path, source in sources.items()
        if suspicious.search(source)
    }
    assert {path: what for path, what in found.items() if what} == {}
    assert len(sources) > 50


@pytest.mark.line("004-26")
@pytest.mark.parametrize(
    "source", ["boto3.client('s3')", "boto3.Session()", "open('/home/me/photo.jpg')", "x = {'AWS_PROFILE': 'me'}"]
)
def test_what_a_test_assumes_would_be_found(source):
    assert len(list(assumptions(source))) == 1
