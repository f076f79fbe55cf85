"""Fuzz target: `python -m tests.fuzz.target <corpus folder> [-max_total_time=3600] [...]`, with libFuzzer's options.

Seeds that are not in the corpus are added. An input that breaks the property of `check` is written to `crash-<hash>` in
a new temporary folder, or to the path of `-artifact_prefix`.
"""

from __future__ import annotations

import hashlib
import struct
import sys
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["imgpipe_processor", "PIL"]):
    from tests.fuzz.check import check
from tests.fuzz.seeds import seeds
from tests.lambda_processor import pngs

# Hundreds of bytes are enough for all structures; larger inputs only slow the fuzzer down.
MAX_BYTES = 6_000
ARTIFACT_PREFIX = "-artifact_prefix="
WORDS = Path(__file__).with_name("words.dict")


def mutated(data: bytes, max_size: int, seed: int) -> bytes:
    """Return libFuzzer's mutation; every second time correct the checksums of a PNG, so that decoders read further."""
    changed = atheris.Mutate(data, max_size)
    return with_checksums(changed) if seed % 2 else changed


def with_checksums(data: bytes) -> bytes:
    if not data.startswith(pngs.SIGNATURE):
        return data
    corrected, position = bytearray(data), len(pngs.SIGNATURE)
    while position + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            break
        struct.pack_into(">I", corrected, end, zlib.crc32(data[position + 4 : end]))
        position = end + 4
    return bytes(corrected)


def fill(corpus: Path) -> None:
    corpus.mkdir(parents=True, exist_ok=True)
    for data in seeds().values():
        (corpus / hashlib.sha1(data, usedforsecurity=False).hexdigest()).write_bytes(data)  # as libFuzzer names them


def artifact_prefix(arguments: Sequence[str]) -> str:
    """Return libFuzzer's option for the folder of findings: the given one, else a new temporary folder."""
    given = [argument for argument in arguments if argument.startswith(ARTIFACT_PREFIX)]
    return given[-1] if given else f"{ARTIFACT_PREFIX}{tempfile.mkdtemp(prefix='imgpipe-fuzz-')}/"


def main() -> None:
    corpus = next(Path(argument) for argument in sys.argv[1:] if not argument.startswith("-"))
    fill(corpus)
    options = [artifact_prefix(sys.argv), f"-max_len={MAX_BYTES}", f"-dict={WORDS}"]
    print(options[0], file=sys.stderr)
    atheris.Setup([*sys.argv, *options], check, custom_mutator=mutated)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
