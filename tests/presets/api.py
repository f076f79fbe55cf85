"""Somebody who asks the HTTP API of a pipeline, with IAM rights of his own and nobody else's."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from tests.presets.pipelines import Pipeline


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    content: bytes
    headers: dict[str, str]

    @property
    def body(self) -> dict[str, Any]:
        """The answer as JSON."""
        body: dict[str, Any] = json.loads(self.content)
        return body


@dataclass(frozen=True)
class Asker:
    """Asks one API.

    Attributes:
        url: Of the API.
        credentials: Of an IAM user who may ask it.
    """

    url: str
    credentials: Any

    @classmethod
    def of(cls, pipeline: Pipeline) -> Asker:
        """A new user who may ask the pipeline's API, and do nothing else."""
        iam, name, api = pipeline.client("iam"), f"asker-{pipeline.name}", pipeline.id_of("ImageApi")
        resource = f"arn:aws:execute-api:{pipeline.region}:{pipeline.account}:{api}/*/GET/images*"
        statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resource}
        iam.create_user(UserName=name)
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="ask", PolicyDocument=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        session = pipeline.engine.session(key["AccessKeyId"], key["SecretAccessKey"], pipeline.region)
        url = pipeline.client("apigatewayv2").get_api(ApiId=api)["ApiEndpoint"]
        return cls(url, session.get_credentials())

    def get(self, path: str, **parameters: str) -> Answer:
        """A signed request."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        request = AWSRequest("GET", f"{self.url}{path}{query}")
        SigV4Auth(self.credentials, "execute-api", "us-east-1").add_auth(request)
        return fetch(f"{self.url}{path}{query}", dict(request.headers.items()))


def fetch(url: str, headers: dict[str, str] | None = None) -> Answer:
    """A request by whoever has the link; hosts that only AWS resolves are looked for on this machine."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=30)
    try:
        query = f"?{parts.query}" if parts.query else ""
        connection.request("GET", f"{parts.path}{query}", headers={**(headers or {}), "Host": parts.netloc})
        response = connection.getresponse()
        return Answer(response.status, response.read(), {name.lower(): value for name, value in response.getheaders()})
    finally:
        connection.close()
