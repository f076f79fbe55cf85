"""What is cut off the client of AWS, and that it does the same afterwards."""

from __future__ import annotations

import ast
import gzip
import io
import json
import re
import sys
import tomllib
import zipfile

import pytest

from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging import Target, build_layer, build_package, function_source
from imgpipe_templates.packaging.trimmed_client.request_check import REGIONS, check_requests
from imgpipe_templates.packaging.trimmed_client.trim_file import read_trim
from imgpipe_templates.packaging.wheel_files import wheel_entries
from tests.packaging.samples import SOURCE_ONLY, make_wheel

OWN = Target.of_interpreter(sys.executable)
PROCESSOR = function_source("processor").folder
TRIM = tomllib.loads((PROCESSOR / "trim.toml").read_text())["botocore"]
OPERATIONS, RESPONSES = TRIM["operations"], TRIM["responses"]


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The processor's package without what a layer may hold: its own files and the client of AWS."""
    return build_package("processor", OWN, tmp_path_factory.mktemp("trimmed"), dependencies=False, contents=SOURCE_ONLY)


@pytest.fixture(scope="module")
def shipped(package):
    """Content of every file of the package, by name."""
    with zipfile.ZipFile(package.path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def whole(package):
    """Content of every file of the wheels that were cut, by name."""
    found = {}
    for wheel in package.wheels:
        with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
            found |= {name: archive.read(name) for name in archive.namelist()}
    return found


def description(files, service):
    (name,) = [name for name in files if re.search(rf"^botocore/data/{service}/[\d-]+/service-2\.json", name)]
    return json.loads(gzip.decompress(files[name]) if name.endswith(".gz") else files[name])


def undocumented(value):
    if isinstance(value, dict):
        return {key: undocumented(one) for key, one in value.items() if not (key == "documentation" and one != {})}
    return [undocumented(one) for one in value] if isinstance(value, list) else value


def test_every_module_is_shipped_and_only_those_that_are_named_are_changed(shipped, whole):
    modules = {name for name in whole if name.endswith(".py") and ".data/" not in name}

    assert modules <= shipped.keys()
    assert {name for name in modules if shipped[name] != whole[name]} == {
        "botocore/docs/__init__.py",
        "botocore/docs/docstring.py",
        "urllib3/http2/__init__.py",
    }


def test_of_the_services_only_those_that_the_function_calls_are_described(shipped):
    services = {name.split("/")[2] for name in shipped if name.count("/") > 2 and name.startswith("botocore/data/")}

    assert services == set(OPERATIONS)
    assert sum(len(content) for name, content in shipped.items() if name.startswith("botocore/data/")) < 400_000


def test_the_operations_kept_are_those_in_the_functions_code(whole):
    used = {
        node.attr
        for path in (PROCESSOR / "imgpipe_processor").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
    }

    called = {
        service: [name for name in description(whole, service)["operations"] if snake(name) in used]
        for service in OPERATIONS
    }
    assert {service: sorted(names) for service, names in called.items()} == OPERATIONS


def test_what_is_kept_of_answers_is_what_the_functions_code_reads():
    read = {
        name
        for path in (PROCESSOR / "imgpipe_processor").glob("*.py")
        for name in re.findall(r'answer(?:\.get\(|\[)"(\w+)"', path.read_text())
    }

    assert read == {name for responses in RESPONSES.values() for members in responses.values() for name in members}
    assert {service: sorted(responses) for service, responses in RESPONSES.items()} == OPERATIONS


def snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def test_what_botocore_itself_calls_of_these_services_is_kept(shipped, whole):
    described = {service: description(whole, service)["operations"] for service in OPERATIONS}
    by_method = {snake(name): (service, name) for service, operations in described.items() for name in operations}
    discovery = {
        (service, name)
        for service, operations in described.items()
        for name in operations
        if operations[name].get("endpointoperation")
    }
    called = {
        by_method[method]
        for name, content in whole.items()
        if name.startswith("botocore/") and name.endswith(".py") and "/docs/" not in name
        for method in re.findall(r"client\.(\w+)\(", content.decode())
        if method in by_method
    }

    assert called | discovery == {("s3", "HeadBucket"), ("s3", "CreateSession"), ("dynamodb", "DescribeEndpoints")}
    assert all(name in description(shipped, service)["operations"] for service, name in called | discovery)


@pytest.mark.parametrize("service", OPERATIONS)
def test_what_is_kept_of_a_description_is_as_it_was_but_for_its_documentation(shipped, whole, service):
    kept, before = description(shipped, service), description(whole, service)

    assert kept["metadata"] == before["metadata"]
    for operation, members in RESPONSES[service].items():
        shape = before["shapes"][before["operations"][operation]["output"]["shape"]]
        shape["members"] = {name: member for name, member in shape["members"].items() if name in members}
    for part in ("operations", "shapes"):
        assert undocumented(kept[part]) == undocumented({name: before[part][name] for name in kept[part]})
    assert set(OPERATIONS[service]) <= kept["operations"].keys()


def test_every_partition_and_region_is_kept(shipped, whole):
    name = "botocore/data/endpoints.json"
    kept, before = json.loads(shipped[name])["partitions"], json.loads(whole[name])["partitions"]

    assert [one["regions"] for one in kept] == [one["regions"] for one in before]
    assert [one["services"] for one in kept] == [
        {service: one["services"][service] for service in one["services"] if service in OPERATIONS} for one in before
    ]
    assert shipped["botocore/data/partitions.json"] == whole["botocore/data/partitions.json"]


def test_the_trimmed_client_makes_the_same_requests_as_the_whole_one_in_every_partition(package):
    trim = read_trim(PROCESSOR / "trim.toml", "trim.toml")
    trimmed = [entry for wheel in package.wheels for entry in trim.entries(wheel)]
    untouched = [entry for wheel in package.wheels for entry in wheel_entries(wheel)]

    requests = check_requests(trimmed, OPERATIONS, "trimmed")

    assert len(requests) == len(REGIONS) * sum(map(len, OPERATIONS.values()))
    assert all(request[3] == "AWS4-HMAC-SHA256" for request in requests)
    assert requests == check_requests(untouched, OPERATIONS, "whole")


def test_record_has_the_hashes_of_what_was_cut(shipped):
    record = shipped["botocore-1.44.5.dist-info/RECORD"].decode()
    listed = {line.split(",")[0] for line in record.splitlines()}

    assert listed == {name for name in shipped if name.startswith("botocore")}
    assert re.search(r"^botocore/cacert-amazon\.pem,sha256=[\w-]{43},\d+$", record, re.MULTILINE)


def test_the_client_is_in_the_package_and_never_in_a_layer(package, tmp_path):
    layer = build_layer("processor", OWN, tmp_path, contents=SOURCE_ONLY)

    assert "botocore" in {wheel.name for wheel in package.wheels}
    assert {wheel.name for wheel in layer.wheels} == {"pillow"}
    assert package.left_out == ("pillow==13.0.0",)


def failure_of(sources, tmp_path, trim, requirements="tool==1.0"):
    root = sources(trimmed=requirements)
    (root / "processor" / "trim.toml").write_text(trim)
    with pytest.raises(PackagingError) as failure:
        build_package("processor", OWN, tmp_path / "out", contents=SOURCE_ONLY, sources=root)
    assert not (tmp_path / "out").exists()
    return str(failure.value)


@pytest.mark.parametrize(
    ("trim", "problem"),
    [
        (
            '[tool.replaced]\n"tool/none.py" = ""',
            "tool.replaced: tool/none.py: not found in tool 1.0; expected a file of this wheel",
        ),
        ("[tool]\nreplaced = 1", "tool.replaced: unknown key or value; expected responses,"),
        (
            "[tool]\nreplaced = { a = 1 }",
            "tool.replaced: unknown key or value; expected responses,",
        ),
        (
            "[tool]\noperations = { a = 1 }",
            "tool.operations: unknown key or value; expected responses, operations, replaced or roots",
        ),
        ("[tool]\nresponses = { s3 = { GetObject = 1 } }", "tool.responses: unknown key or value; expected responses,"),
        ("[tool]\nresponses = { s3 = [] }", "tool.responses: unknown key or value; expected responses,"),
        ("[tool]\nroots = [1]", "tool.roots: unknown key or value; expected responses,"),
        ("[tool]\ndropped = []", "tool.dropped: unknown key or value; expected responses,"),
        ("tool = []", "tool.: unknown key or value; expected responses,"),
        ("[other]", "other: not found in processor/requirements-trimmed.txt; expected the wheels of that file"),
        ("[tool", "text: cannot be read (Expected"),
    ],
)
def test_a_trim_that_fits_nothing_is_refused(index, sources, tmp_path, trim, problem):
    make_wheel(index, "tool", "1.0", {"tool/__init__.py": ""})

    assert failure_of(sources, tmp_path, trim).startswith(f"processor/trim.toml: {problem}")


@pytest.mark.parametrize(
    ("trim", "problem"),
    [
        (
            '[botocore.operations]\ns3 = ["GetItem"]',
            "botocore.operations: s3: operation GetItem does not exist; expected operations of this service",
        ),
        (
            '[botocore]\noperations = { s3 = ["GetObject"] }\nresponses = { s3 = { GetObject = ["Bodies"] } }',
            "botocore.responses: s3.GetObject: response member Bodies does not exist; expected members of the response",
        ),
        (
            '[botocore]\noperations = { s3 = ["GetObject"] }\nresponses = { s3 = { PutObject = [] } }',
            "botocore.responses: s3.PutObject: has no response; expected one of the kept operations",
        ),
        (
            '[botocore]\noperations = { s3 = ["GetObject"] }\nresponses = { s4 = { GetObject = [] } }',
            "botocore.responses: s4: not among the kept services; expected services of [botocore.operations]",
        ),
        (
            '[botocore]\nroots = ["Amazon Root CA 9"]',
            "botocore.roots: Amazon Root CA 9: not found in botocore/cacert.pem; expected one of its labels",
        ),
        (
            '[botocore.operations]\ns4 = ["GetObject"]',
            "botocore: does not work after the reduction (botocore.exceptions.UnknownServiceError: Unknown service",
        ),
        (
            '[botocore]\nreplaced = { "botocore/auth.py" = "" }\noperations = { s3 = ["GetObject"] }',
            "botocore: does not work after the reduction (",
        ),
    ],
    ids=["operation", "member", "answer", "answers-of-unkept-service", "root", "service", "module"],
)
def test_a_trim_that_breaks_the_client_is_refused_before_anything_is_written(sources, tmp_path, trim, problem):
    requirements = (PROCESSOR / "requirements-trimmed.txt").read_text()

    assert failure_of(sources, tmp_path, trim, requirements).startswith(f"processor/trim.toml: {problem}")
