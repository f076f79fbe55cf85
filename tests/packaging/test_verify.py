"""Each way in which a package would fail on Lambda is found and named."""

from __future__ import annotations

import importlib.util
import py_compile
import re
import struct
import sys
import warnings
import zipfile

import pytest

from imgpipe_templates.errors import PackagingError
from imgpipe_templates.packaging import UNZIPPED_LIMIT_BYTES, Target, verify_layer, verify_package

ARM = Target("python3.13", "arm64")
X86 = Target("python3.13", "x86_64")
MATH = "PIL/_imagingmath.cpython-313-{}-linux-gnu.so"
MATH_X86, MATH_ARM = MATH.format("x86_64"), MATH.format("aarch64")
HANDLER = b"from thumbs import lambda_handler\n"


@pytest.fixture(scope="session")
def parts(pillow_package):
    """Real files of the Pillow wheels, few enough to be packed again in no time."""
    found = {}
    for target in (ARM, X86):
        with zipfile.ZipFile(pillow_package(target).path) as archive:
            names = [MATH.format(target.machine), "pillow-13.0.0.dist-info/WHEEL", "pillow-13.0.0.dist-info/RECORD"]
            found[target] = {name: archive.read(name) for name in names} | {"index.py": HANDLER}
    return found


@pytest.fixture
def faults(tmp_path):
    """A function: files and target -> the lines of the error, without the zip's name; none for a sound package."""

    def check(files, target=X86, **options):
        path = tmp_path / "processor.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
                archive.getinfo(name).external_attr = 0o100644 << 16
        return lines_of(path, target, **options)

    return check


def lines_of(path, target=X86, *, verify=verify_package, **options):
    try:
        verify(path, target, **options)
    except PackagingError as failure:
        lines = str(failure).splitlines()
        assert all(line.startswith(f"{path.name}: ") for line in lines)
        return [line.removeprefix(f"{path.name}: ") for line in lines]
    return []


def test_a_sound_package_passes(faults, parts):
    assert faults(parts[X86]) == []
    assert faults(parts[ARM], ARM) == []


def test_a_library_for_another_processor_names_its_wheel(faults, parts):
    assert faults(parts[ARM], X86) == [
        f"{MATH_ARM} (pillow 13.0.0): is built for arm64; expected x86_64",
        f"{MATH_ARM} (pillow 13.0.0): is tagged cpython-313-aarch64-linux-gnu; "
        "expected cpython-313-x86_64-linux-gnu or abi3",
        "pillow-13.0.0.dist-info/WHEEL (pillow 13.0.0): has the tags "
        "cp313-cp313-manylinux_2_27_aarch64, cp313-cp313-manylinux_2_28_aarch64; "
        "expected a tag compatible with python3.13 on x86_64",
    ]


def test_a_library_for_another_processor_is_found_under_a_right_name_too(faults, parts):
    files = {"index.py": HANDLER, "libs/libmath.so.1": parts[ARM][MATH_ARM]}

    assert faults(files) == ["libs/libmath.so.1: is built for arm64; expected x86_64"]


def test_a_library_for_another_python_is_found(faults, parts):
    files = {"index.py": HANDLER, MATH_X86.replace("313", "312"): parts[X86][MATH_X86]}

    assert faults(files) == [
        "PIL/_imagingmath.cpython-312-x86_64-linux-gnu.so: is tagged cpython-312-x86_64-linux-gnu; "
        "expected cpython-313-x86_64-linux-gnu or abi3"
    ]


@pytest.mark.parametrize("name", ["fast.abi3.so", "fast.so", "libfast.so.2.1"])
def test_libraries_for_any_python_pass(faults, parts, name):
    assert faults({"index.py": HANDLER, name: parts[X86][MATH_X86]}) == []


@pytest.mark.parametrize("tag", ["cpython-313t-x86_64-linux-gnu", "cpython-313-x86_64-linux-musl", "pypy311-pp73"])
def test_libraries_of_free_threaded_musl_and_pypy_builds_are_found(faults, parts, tag):
    assert faults({"index.py": HANDLER, f"fast.{tag}.so": parts[X86][MATH_X86]}) == [
        f"fast.{tag}.so: is tagged {tag}; expected cpython-313-x86_64-linux-gnu or abi3"
    ]


def test_a_library_that_needs_a_newer_c_library_is_found(faults, parts):
    newest = max(re.findall(rb"GLIBC_2\.\d\d\0", parts[X86][MATH_X86]))
    library = parts[X86][MATH_X86].replace(newest, b"GLIBC_2.39\0")

    assert faults({"index.py": HANDLER, "fast.abi3.so": library}) == [
        "fast.abi3.so: needs glibc 2.39; expected at most 2.34, the version of python3.13 on x86_64"
    ]
    assert faults({"index.py": HANDLER, "fast.abi3.so": library}, Target("python3.11", "x86_64", glibc=(2, 39))) == []


def test_missing_linked_library_is_found(faults, pillow_package):
    name = MATH_X86.replace("math", "ft")
    with zipfile.ZipFile(pillow_package(X86).path) as archive:
        needed = [one for one in archive.namelist() if "/libfreetype-" in one or "/libharfbuzz-" in one]
        files = {one: archive.read(one) for one in (name, *needed)} | {"index.py": HANDLER}
    alone = {inside: content for inside, content in files.items() if inside not in needed}

    assert faults(alone) == [
        f"{name}: needs {one.rpartition('/')[2]}, which is neither in the package nor on python3.13 on x86_64"
        for one in sorted(needed)
    ]
    assert not [line for line in faults(files) if line.startswith(name)]


def test_a_32_bit_library_is_found(faults):
    header = struct.pack("<4s3B9x2H5I6H", b"\x7fELF", 1, 1, 1, 3, 3, 1, 0, 0, 0, 0, 52, 32, 0, 40, 0, 0)

    assert faults({"index.py": HANDLER, "fast.so": header}) == [
        "fast.so: is 32-bit, little endian; expected 64-bit, little endian",
        "fast.so: is built for EM_386; expected x86_64",
        "fast.so: has no section headers, which name the required glibc version; expected section headers",
    ]


def test_a_damaged_library_is_found(faults, parts):
    (line,) = faults({"index.py": HANDLER, "fast.so": parts[X86][MATH_X86][:3000]})

    assert line.startswith("fast.so: is a damaged ELF file (")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("fast.cp313-win_amd64.pyd", "is built for Windows; expected Linux"),
        ("libs/fast.dylib", "is built for macOS; expected Linux"),
        ("fast.so", "is not an ELF file; expected a library for Linux"),
    ],
)
def test_libraries_for_other_systems_are_found(faults, name, problem):
    assert faults({"index.py": HANDLER, name: b"MZ\x90"}) == [f"{name}: {problem}"]


def test_bytecode_of_another_python_is_found_and_of_the_runtime_passes(faults, tmp_path):
    (tmp_path / "module.py").write_text("A = 1\n")
    py_compile.compile(str(tmp_path / "module.py"), str(tmp_path / "module.pyc"))
    mine = (tmp_path / "module.pyc").read_bytes()
    magic = int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little")
    own = Target("python{}.{}".format(*sys.version_info), "x86_64", glibc=(2, 34))
    other = Target("python3.14" if own.runtime != "python3.14" else "python3.13", "x86_64")

    assert faults({"index.py": HANDLER, "module.pyc": mine}, own) == []
    assert faults({"index.py": HANDLER, "module.pyc": mine}, other) == [
        f"module.pyc: bytecode with magic number {magic}; expected {other.bytecode}, that of {other.runtime}"
    ]


def test_a_package_above_the_limit_is_found_with_its_layers_counted(faults):
    files = {"index.py": HANDLER, "data.bin": b"\0" * 1000}
    room = UNZIPPED_LIMIT_BYTES - 1034

    assert faults(files, layers_bytes=room) == [
        f"package: 1034 bytes unzipped and its layers {room}; "
        "expected less than 262144000 bytes for a function and its layers"
    ]
    assert faults(files, layers_bytes=room - 1) == []


def test_a_missing_handler_is_found(faults):
    assert faults({"processor/index.py": HANDLER}) == [
        "index.py: missing; expected it at the root, with the function lambda_handler"
    ]


def test_a_handler_file_without_the_handler_or_with_wrong_syntax_is_found(faults):
    assert faults({"index.py": b"def handler(event, context): ...\n"}) == [
        "index.py: does not define lambda_handler; expected a definition or import of it"
    ]
    (line,) = faults({"index.py": b"def lambda_handler(:\n"})
    assert re.fullmatch(
        r"index.py: does not parse \(.*\); expected the syntax of python3.13(, as parsed by Python .*)?", line
    )


@pytest.mark.parametrize(
    "text",
    [b"from thumbs import main as lambda_handler", b"def lambda_handler(event, context): ...", b"lambda_handler = max"],
)
def test_handlers_may_be_imported_defined_or_assigned(faults, text):
    assert faults({"index.py": text}) == []


def test_files_that_the_function_could_not_read_are_found(tmp_path):
    path = tmp_path / "processor.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("index.py", HANDLER)
        archive.getinfo("index.py").external_attr = 0o100600 << 16

    assert lines_of(path) == ["index.py: has permissions 0600, which the function cannot read; expected 0644 or 0755"]


def test_paths_that_lead_out_and_double_entries_are_found(tmp_path):
    path = tmp_path / "processor.zip"
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of the double name that this test wants
        for name in ("index.py", "index.py", "../evil.py"):
            archive.writestr(name, HANDLER)
        for info in archive.infolist():
            info.external_attr = 0o100644 << 16

    assert lines_of(path) == [
        "index.py: occurs 2 times; expected once",
        "../evil.py: points outside of the package; expected a path in it",
    ]


def test_a_damaged_zip_and_a_damaged_entry_are_found(tmp_path, faults):
    files = {"index.py": HANDLER, "data.txt": b"sound and whole"}
    assert faults(files) == []
    path = tmp_path / "processor.zip"
    path.write_bytes(path.read_bytes().replace(b"sound and whole", b"sound and hole!"))

    assert lines_of(path) == [
        "data.txt: cannot be unpacked (Bad CRC-32 for file 'data.txt'); expected a valid zip entry"
    ]
    path.write_bytes(b"no zip")
    assert lines_of(path) == ["package: cannot be read (File is not a zip file); expected a zip file"]


def test_a_layer_needs_no_handler_but_the_folder_that_python_looks_in(faults, parts):
    layer = {f"python/{name}": content for name, content in parts[X86].items() if name != "index.py"}
    unpacked = {name.removeprefix("python/"): content for name, content in layer.items()}

    assert faults(layer, verify=verify_layer) == []
    assert faults(unpacked, verify=verify_layer) == [
        "python/: missing; expected the layer's packages in this folder, from which python3.13 imports"
    ]


@pytest.mark.parametrize("folder", ["python/", "python/lib/python3.13/site-packages/"])
def test_a_layer_for_another_processor_names_its_wheel(faults, parts, folder):
    layer = {f"{folder}{name}": content for name, content in parts[ARM].items() if name != "index.py"}

    found = faults(layer, verify=verify_layer)

    assert f"{folder}{MATH_ARM} (pillow 13.0.0): is built for arm64; expected x86_64" in found
    assert len(found) == 3
