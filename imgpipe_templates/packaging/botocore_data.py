"""The part of botocore's data that a function uses: a few operations of a few services, in every partition and Region.

botocore finds out at run time what AWS is: it lists the folders of 400 services, parses the endpoints of all of them
and the whole description of each service that it makes a client of. Its code stays as it is.
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
class BotocoreCut:
    """What becomes of each file of botocore's wheel.

    Attributes:
        operations: What is kept of the services' descriptions, by service.
        answers: What is kept of the answers to operations, by service and operation; the others' are whole.
        roots: Names of the certificate authorities for the second, smaller bundle.
        where: Who asks for it, for messages.
    """

    operations: Mapping[str, Sequence[str]]
    answers: Mapping[str, Mapping[str, Sequence[str]]]
    roots: Sequence[str]
    where: str

    def __call__(self, name: str, content: bytes) -> Mapping[str, bytes]:
        """The files that are shipped for `name`, by name; none where it is left out.

        Raises:
            PackagingError: It has not what is to be kept of it.
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
        # Examples, paginators and waiters are for functions that use them.
        return {name: content} if file.startswith(("endpoint-rule-set-1.", "service-2.")) else {}

    def _amazon_roots(self, bundle: bytes) -> bytes:
        found = {label.decode(): certificate for label, certificate in _ROOT.findall(bundle)}
        for root in self.roots:
            if root not in found:
                raise PackagingError(f"{self.where}.roots: {root}: is not in {ROOTS}; expected one of its labels")
        return b"".join(b"# %s\n%s" % (root.encode(), found[root]) for root in self.roots)

    def _endpoints(self, content: bytes) -> bytes:
        endpoints = json.loads(content)
        for partition in endpoints["partitions"]:
            services = partition["services"]
            partition["services"] = {name: services[name] for name in services if name in self.operations}
        return _json(endpoints)

    def _description(self, service: str, content: bytes) -> bytes:
        model = json.loads(content)
        # A service may have one with which botocore finds out whom to call.
        discovery = {name for name, operation in model["operations"].items() if operation.get("endpointoperation")}
        kept = {*self.operations[service], *_CALLED_BY_BOTOCORE.get(service, ()), *discovery}
        for name in sorted(kept - model["operations"].keys()):
            raise PackagingError(f"{self.where}.operations: {service}: has no {name}; expected operations of it")
        model["operations"] = {name: one for name, one in model["operations"].items() if name in kept}
        for operation, members in self.answers.get(service, {}).items():
            self._cut_answer(f"{service}.{operation}", model, operation, members)
        shapes = _reached(model)
        model["shapes"] = {name: shape for name, shape in model["shapes"].items() if name in shapes}
        return _json(_undocumented(model))

    def _cut_answer(self, called: str, model: Mapping[str, Any], operation: str, members: Sequence[str]) -> None:
        """Leave these members in an operation's answer: botocore looks for each one that it knows of."""
        answer = model["operations"].get(operation, {}).get("output")
        if answer is None:
            raise PackagingError(f"{self.where}.answers: {called}: has no answer; expected operations that are kept")
        shape = model["shapes"][answer["shape"]]
        for name in sorted(set(members) - shape["members"].keys()):
            raise PackagingError(f"{self.where}.answers: {called}: has no {name}; expected members of it")
        shape["members"] = {name: member for name, member in shape["members"].items() if name in members}


def _reached(model: Mapping[str, Any]) -> set[str]:
    """The names of the shapes that the operations of a description use."""
    reached: set[str] = set()
    open_ends = [name for operation in model["operations"].values() for name in _shapes_of(operation)]
    while open_ends:
        name = open_ends.pop()
        if name not in reached:
            reached.add(name)
            open_ends += _shapes_of(model["shapes"][name])
    return reached


def _shapes_of(value: Any) -> Iterator[str]:
    """Every shape that an operation or a shape refers to."""
    if isinstance(value, dict):
        if isinstance(value.get("shape"), str):
            yield value["shape"]
        for inside in value.values():
            yield from _shapes_of(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _shapes_of(inside)


def _undocumented(value: Any) -> Any:
    """The same with empty documentation: the key stays, because what reads the description may ask for it."""
    if isinstance(value, dict):
        return {
            name: "" if name == "documentation" and isinstance(inside, str) else _undocumented(inside)
            for name, inside in value.items()
        }
    return [_undocumented(inside) for inside in value] if isinstance(value, list) else value


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
