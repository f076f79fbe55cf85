"""What a finished run shows: the report on stderr, and the contact sheet."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from imgpipe_templates.cli.report import RunSummary
from imgpipe_templates.config import load_preset
from imgpipe_templates.local.contact_sheet import write_contact_sheet
from imgpipe_templates.local.inputs import InputError, Skipped, SourceFile, select_files
from imgpipe_templates.local.results import FileResult, RunReport

THUMBNAILS = [
    {"Width": 128, "Height": 85, "Format": "JPEG", "Bytes": 1683},
    {"Width": 256, "Height": 171, "Format": "JPEG", "Bytes": 10541},
]


def ended(name: str, status: str, reason: str = "", log: str = "") -> FileResult:
    return FileResult(SourceFile(Path(name), name), status, reason, log=log)


def processed(name: str, out: Path = Path("out")) -> FileResult:
    item = {"Width": 1200, "Height": 800, "Format": "JPEG", "Thumbnails": THUMBNAILS}
    thumbnails = tuple(out / f"{name}.thumbnail-{size}.jpg" for size in (128, 256))
    return replace(ended(name, "processed"), item=item, json_file=out / f"{name}.json", thumbnails=thumbnails)


def summary(report: RunReport, capsys, monkeypatch, *, verbose: bool = False) -> list[str]:
    monkeypatch.setenv("COLUMNS", "80")
    RunSummary(report, load_preset("thumbnails"), verbose=verbose).show()
    return [line.rstrip() for line in capsys.readouterr().err.splitlines()]


def test_counts_come_first_then_what_went_wrong_then_the_rest(capsys, monkeypatch):
    report = RunReport(
        results=(
            processed("a.jpg"),
            ended("b.gif", "ignored", "matches none"),
            ended("c.gif", "ignored", "matches none"),
            ended("d.txt", "ignored", "matches none"),
            ended("bad\n[red].jpg", "failed", "unsupported: a text"),
            ended("gone.jpg", "lost", "failed 3 times", log="START\nEND\n"),
        ),
        skipped=(Skipped(Path("in/.hidden"), "hidden"),),
        notes=("functions run under Python 3.13",),
        seconds={"engine": 1.0, "settle": 2.25},
        denied=("role R may not s3:PutObject on X",),
    )

    assert summary(report, capsys, monkeypatch) == [
        "6 files: 1 processed, 1 lost, 1 failed, 3 ignored (3.2 s)",
        "lost: gone.jpg: failed 3 times",
        "  START",
        "  END",
        "denied: role R may not s3:PutObject on X",
        "failed: bad\\n[red].jpg: unsupported: a text",
        "Processed",
        "",
        " file    image             thumbnails",
        " " + "─" * 54,
        " a.jpg   1200 x 800 JPEG   128 x 85 JPEG, 1,683 bytes",
        "                           256 x 171 JPEG, 10,541 bytes",
        "",
        "ignored: 2 files, .gif is not in uploads.extensions: b.gif, c.gif",
        "ignored: 1 file, .txt is not in uploads.extensions: d.txt",
        "To process them, add gif to uploads.extensions:",
        '  --set \'uploads.extensions=["jpg", "jpeg", "png", "gif"]\'',
        "skipped: 1 file, hidden: in/.hidden",
        "functions run under Python 3.13",
    ]


def test_long_lists_are_whole_only_with_verbose(capsys, monkeypatch):
    log = "".join(f"line {number}\n" for number in range(30))
    lost = tuple(ended(f"{number}.jpg", "lost", "failed", log=log if number == 0 else "") for number in range(12))
    ignored = tuple(ended(f"{number}.gif", "ignored", "matches none") for number in range(5))
    report = RunReport((*lost, *ignored), (), (), {})

    short = summary(report, capsys, monkeypatch)
    assert "lost: 9.jpg: failed" in short
    assert "lost: 10.jpg: failed" not in short
    assert "... and 2 more; --verbose prints all" in short
    assert "  line 9" not in short
    assert "  line 10" in short
    assert "ignored: 5 files, .gif is not in uploads.extensions: 0.gif, 1.gif, 2.gif and 2 more" in short

    whole = summary(report, capsys, monkeypatch, verbose=True)
    assert "lost: 11.jpg: failed" in whole
    assert "  line 0" in whole
    assert "ignored: 5 files, .gif is not in uploads.extensions: 0.gif, 1.gif, 2.gif, 3.gif, 4.gif" in whole
    assert not [line for line in whole if "--verbose" in line]


def test_the_contact_sheet_shows_every_thumbnail_and_every_end(tmp_path: Path):
    results = [processed("50% of <b>.jpg", tmp_path), ended("bad.jpg", "failed", "corrupt: <cut>")]

    sheet = write_contact_sheet(tmp_path, "holiday", results)

    assert sheet == tmp_path / "index.html"
    page = sheet.read_text(encoding="utf-8")
    assert "2 files: 1 processed, 1 failed" in page
    assert re.findall(r'<img src="([^"]+)" alt="" width="(\d+)"', page) == [
        ("50%25%20of%20%3Cb%3E.jpg.thumbnail-128.jpg", "128"),
        ("50%25%20of%20%3Cb%3E.jpg.thumbnail-256.jpg", "256"),
    ]
    assert "<b>50% of &lt;b&gt;.jpg</b>" in page
    assert "corrupt: &lt;cut&gt;" in page
    assert page.index("bad.jpg") < page.index("50% of")


def test_a_sheet_is_replaced_and_that_of_another_program_is_not(tmp_path: Path):
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"")
    out = tmp_path / "out"
    out.mkdir()
    write_contact_sheet(out, "holiday", [processed("a.jpg", out)])
    select_files([photo], out)

    assert write_contact_sheet(out, "holiday", [ended("a.jpg", "lost")]) is None
    assert not (out / "index.html").exists()

    (out / "index.html").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match=r"index\.html: is there and was not written by a run"):
        select_files([photo], out)
