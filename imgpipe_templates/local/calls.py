"""What roles called and whether they might: the evidence that a role has neither too few rights nor too many."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Call:
    """One kind of call of a role.

    Attributes:
        role: The role's name.
        action: In IAM's words, such as s3:GetObject.
        resource: ARN of what it was about.
    """

    role: str
    action: str
    resource: str
    is_allowed: bool


@dataclass
class CallLog:
    """Every kind of call since the engine started, once."""

    _calls: dict[Call, None] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, principal: str, action: str, resource: str, *, is_allowed: bool) -> None:
        """Note a call.

        Args:
            principal: ARN of a role or of a role's session; calls of others are not kept.
            action: In IAM's words.
            resource: ARN.
            is_allowed: What policies said.
        """
        kind, _, name = principal.rpartition(":")[2].partition("/")
        if kind not in {"role", "assumed-role"}:
            return
        role = name.partition("/")[0] if kind == "assumed-role" else name.rpartition("/")[2]
        with self._lock:
            self._calls[Call(role, action, resource, is_allowed)] = None

    def as_json(self) -> bytes:
        """All kinds of calls, in the order of their first."""
        with self._lock:
            return json.dumps([asdict(call) for call in self._calls]).encode()
