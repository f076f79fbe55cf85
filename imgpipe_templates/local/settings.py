"""What the engine process is told by the process that starts it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

SETTINGS_VARIABLE = "IMGPIPE_ENGINE_SETTINGS"
ACCOUNT_ID = "123456789012"
REGION = "us-east-1"
RECORDS = "/_imgpipe"  # path of what the engine process tells of itself


@dataclass(frozen=True)
class EngineSettings:
    """The engine's own part of its environment; the rest are MiniStack's variables.

    Attributes:
        folder: Temporary folder that the engine removes when it ends.
        runtimes: Lambda runtime -> interpreter and runtime folder.
        environments: Execution environments per function that work at the same time.
        retry_base_seconds: Wait before the first retry of an asynchronous invocation or of a message.
    """

    endpoint_url: str
    folder: str
    runtimes: Mapping[str, tuple[str, str]]
    environments: int
    retry_base_seconds: float

    def as_json(self) -> str:
        """For the environment variable `SETTINGS_VARIABLE`."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> EngineSettings:
        """Read what `as_json` wrote."""
        return cls(**json.loads(text))
