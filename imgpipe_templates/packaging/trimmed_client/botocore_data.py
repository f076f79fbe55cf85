"""Reduction of botocore's data to the operations that a function calls, for every partition and Region.

At run time botocore lists the folders of 400 services, parses the endpoints of all services, and parses the complete
model of each service that it creates a client for. This module reduces those data files. botocore's code is unchanged.
"""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from imgpipe_templates.errors import PackagingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DATA = "botocore/data/"
ROOTS, AMAZON_ROOTS = "botocore/cacert.pem", "botocore/cacert-amazon.pem"

# What botocore 1.44.5 itself calls: utils.py, S3RegionRedirectorv2 and S3ExpressIdentityCache
_CALLED_BY_BOTOCORE = {"s3": {"CreateSession", "HeadBucket"}}
_ROOT = re.compile(rb'# Label: "([^"]+)"\n(?:# .*\n)*(-----BEGIN CERTIFICATE-----\n[^-]+-----END CERTIFICATE-----\n)')


@dataclass(frozen=True)
class BotocoreReducer:
    """A function that returns the reduced form of each file in botocore's wheel.

    Attributes:
        operations: Operations to keep, by service.
        responses: Response members to keep, by service and operation. Other responses keep all members.
        roots: Labels of the certificate authorities in the second, smaller bundle.
        where: File and table that configure the reduction, for messages.
    """

    operations: Mapping[str, Sequence[str]]
    responses: Mapping[str, Mapping[str, Sequence[str]]]
    roots: Sequence[str]
    where: str

    def __call__(self, name: str, content: bytes) -> Mapping[str, bytes]:
        """Return the packaged files for `name`, by name; an empty mapping if the file is left out.

        Raises:
            PackagingError: The file lacks an operation, response member or certificate that is to be kept.
        """
        if name == ROOTS and self.roots:
            return {name: content, AMAZON_ROOTS: self._amazon_roots(content)}
        if not name.startswith(DATA):
            return {name: content}
        service, _, rest = name.removeprefix(DATA).partition("/")
        if not rest:
            return {name: self._endpoints(content) if service == "endpoints.json" else content}
        if service not in self.operations:
            return {}
        file = rest.rpartition("/")[2]
        if file == "service-2.json.gz":
            return {name.removesuffix(".gz"): self._description(service, gzip.decompress(content))}
        # No function uses examples, paginators or waiters.
        return {name: content} if file.startswith(("endpoint-rule-set-1.", "service-2.")) else {}

    def _amazon_roots(self, bundle: bytes) -> bytes:
        found = {label.decode(): certificate for label, certificate in _ROOT.findall(bundle)}
        for root in self.roots:
            if root not in found:
                raise PackagingError(f"{self.where}.roots: {root}: not found in {ROOTS}; expected one of its labels")
        return b"".join(b"# %s\n%s" % (root.encode(), found[root]) for root in self.roots)

    def _endpoints(self, content: bytes) -> bytes:
        endpoints = json.loads(content)
        for partition in endpoints["partitions"]:
            services = partition["services"]
            partition["services"] = {name: services[name] for name in services if name in self.operations}
        return _json(endpoints)

    def _description(self, service: str, content: bytes) -> bytes:
        model = json.loads(content)
        # With endpoint discovery, botocore calls this operation to find the endpoint of the others.
        discovery = {name for name, operation in model["operations"].items() if operation.get("endpointoperation")}
        kept = {*self.operations[service], *_CALLED_BY_BOTOCORE.get(service, ()), *discovery}
        for name in sorted(kept - model["operations"].keys()):
            raise PackagingError(
                f"{self.where}.operations: {service}: operation {name} does not exist; "
                "expected operations of this service"
            )
        model["operations"] = {name: one for name, one in model["operations"].items() if name in kept}
        for operation, members in self.responses.get(service, {}).items():
            self._reduce_response(f"{service}.{operation}", model, operation, members)
        shapes = _reachable_shapes(model)
        model["shapes"] = {name: shape for name, shape in model["shapes"].items() if name in shapes}
        return _json(_undocumented(model))

    def _reduce_response(self, called: str, model: Mapping[str, Any], operation: str, members: Sequence[str]) -> None:
        """Remove all other members from an operation's response: botocore looks up each member of the model."""
        response = model["operations"].get(operation, {}).get("output")
        if response is None:
            raise PackagingError(
                f"{self.where}.responses: {called}: has no response; expected one of the kept operations"
            )
        shape = model["shapes"][response["shape"]]
        for name in sorted(set(members) - shape["members"].keys()):
            raise PackagingError(
                f"{self.where}.responses: {called}: response member {name} does not exist; "
                "expected members of the response"
            )
        shape["members"] = {name: member for name, member in shape["members"].items() if name in members}


def _reachable_shapes(model: Mapping[str, Any]) -> set[str]:
    """Return the names of the shapes that the operations of a service model refer to, directly or indirectly."""
    reachable: set[str] = set()
    pending = [name for operation in model["operations"].values() for name in _shapes_of(operation)]
    while pending:
        name = pending.pop()
        if name not in reachable:
            reachable.add(name)
            pending += _shapes_of(model["shapes"][name])
    return reachable


def _shapes_of(value: Any) -> Iterator[str]:
    """Yield the name of every shape that an operation or shape refers to."""
    if isinstance(value, dict):
        if isinstance(value.get("shape"), str):
            yield value["shape"]
        for item in value.values():
            yield from _shapes_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from _shapes_of(item)


def _undocumented(value: Any) -> Any:
    """Return the value with empty documentation texts. The keys stay, because readers of the model may require them."""
    if isinstance(value, dict):
        return {
            name: "" if name == "documentation" and isinstance(item, str) else _undocumented(item)
            for name, item in value.items()
        }
    return [_undocumented(item) for item in value] if isinstance(value, list) else value


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
