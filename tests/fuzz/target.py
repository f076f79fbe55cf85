"""The fuzz target: `python -m tests.fuzz.target <corpus folder> [-max_total_time=3600] [...]`, as libFuzzer has them.

The corpus is filled with the seeds that are not in it yet. What breaks the property of `check` is written to
`crash-<hash>` in the folder that the command runs in, or wherever -artifact_prefix says.
"""

from __future__ import annotations

import hashlib
import struct
import sys
import zlib
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["imgpipe_processor", "PIL"]):
    from tests.fuzz.check import check
from tests.fuzz.seeds import seeds
from tests.lambda_processor import pngs

# Hundreds of bytes make any of the structures; larger inputs only make it slow.
MAX_BYTES = 6_000
WORDS = Path(__file__).with_name("words.dict")


def mutated(data: bytes, max_size: int, seed: int) -> bytes:
    """libFuzzer's own mutation; every second time the checksums of a PNG are made right again, or none gets far."""
    changed = atheris.Mutate(data, max_size)
    return with_checksums(changed) if seed % 2 else changed


def with_checksums(data: bytes) -> bytes:
    if not data.startswith(pngs.SIGNATURE):
        return data
    mended, position = bytearray(data), len(pngs.SIGNATURE)
    while position + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        end = position + 8 + length
        if end + 4 > len(data):
            break
        struct.pack_into(">I", mended, end, zlib.crc32(data[position + 4 : end]))
        position = end + 4
    return bytes(mended)


def fill(corpus: Path) -> None:
    corpus.mkdir(parents=True, exist_ok=True)
    for data in seeds().values():
        (corpus / hashlib.sha1(data, usedforsecurity=False).hexdigest()).write_bytes(data)  # as libFuzzer names them


def main() -> None:
    corpus = next(Path(argument) for argument in sys.argv[1:] if not argument.startswith("-"))
    fill(corpus)
    atheris.Setup([*sys.argv, f"-max_len={MAX_BYTES}", f"-dict={WORDS}"], check, custom_mutator=mutated)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
