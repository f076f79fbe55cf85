import pytest

from tests.lambda_bucket_notification.fakes import S3, Bench, response_server


@pytest.fixture(scope="session")
def _one_server():
    with response_server() as responses:
        yield responses


@pytest.fixture(scope="session")
def _one_client():
    return S3()


@pytest.fixture
def bench(_one_server, _one_client):
    """The helper between an S3 with one bucket without notifications, and a CloudFormation that takes every answer."""
    _one_server.reset()
    _one_client.reset()
    return Bench(_one_client, _one_server)
