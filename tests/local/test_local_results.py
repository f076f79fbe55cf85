"""What is written for a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imgpipe_templates.local.inputs import InputError, SourceFile
from imgpipe_templates.local.results import clear_result, plain_item, write_result

FILE = SourceFile(Path("photo.jpg"), "trip/photo.jpg")
ITEM = {
    "Status": "processed",
    "ImageId": "1",
    "ObjectKey": "trip/photo.jpg",
    "Thumbnails": [{"Bucket": "thumbs", "Key": "thumbnails/1/128.jpg", "Width": 128}],
}


def test_an_item_is_plain_json_with_whole_numbers_whole():
    typed = {
        "Name": {"S": "ü"},
        "Width": {"N": "4032"},
        "Ratio": {"N": "1.5"},
        "Done": {"BOOL": True},
        "Nothing": {"NULL": True},
        "Tags": {"SS": ["b", "a"]},
        "Sizes": {"NS": ["20", "3"]},
        "Hash": {"B": b"\x00\xff"},
        "Parts": {"L": [{"M": {"Key": {"S": "k"}, "Bytes": {"N": "7"}}}]},
    }

    assert plain_item(typed) == {
        "Name": "ü",
        "Width": 4032,
        "Ratio": 1.5,
        "Done": True,
        "Nothing": None,
        "Tags": ["a", "b"],
        "Sizes": [3, 20],
        "Hash": "AP8=",
        "Parts": [{"Key": "k", "Bytes": 7}],
    }


def test_item_and_thumbnail_lie_side_by_side(tmp_path: Path):
    result = write_result(tmp_path, FILE, ITEM, lambda bucket, key: f"{bucket}/{key}".encode())

    assert result.json_file == tmp_path / "trip" / "photo.jpg.json"
    assert result.thumbnails == (tmp_path / "trip" / "photo.jpg.thumbnail-128.jpg",)
    assert result.thumbnails[0].read_bytes() == b"thumbs/thumbnails/1/128.jpg"
    written = result.json_file.read_text(encoding="utf-8")
    assert json.loads(written)["Thumbnails"][0]["File"] == "photo.jpg.thumbnail-128.jpg"
    assert written == json.dumps(json.loads(written), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_thumbnails_of_one_name_get_files_of_their_own(tmp_path: Path):
    twins = [{"Bucket": "b", "Key": "x/128.jpg"}, {"Bucket": "b", "Key": "y/128.jpg"}]

    result = write_result(tmp_path, FILE, ITEM | {"Thumbnails": twins}, lambda _, key: key.encode())

    assert [path.read_bytes() for path in result.thumbnails] == [b"x/128.jpg", b"y/128.jpg"]


def test_a_rejected_image_says_why_and_replaces_what_an_earlier_run_wrote(tmp_path: Path):
    write_result(tmp_path, FILE, ITEM, lambda *_: b"old")
    failed = {
        "ImageId": "1",
        "ObjectKey": "trip/photo.jpg",
        "Status": "failed",
        "ErrorCategory": "corrupt",
        "ErrorMessage": "no image data",
    }

    result = write_result(tmp_path, FILE, failed, lambda *_: b"")

    assert (result.status, result.reason) == ("failed", "corrupt: no image data")
    assert [path.name for path in (tmp_path / "trip").iterdir()] == ["photo.jpg.json"]
    assert json.loads(result.json_file.read_text(encoding="utf-8")) == failed


def test_only_files_of_the_run_are_cleared(tmp_path: Path):
    (tmp_path / "trip").mkdir()
    mine = tmp_path / "trip" / "mine.jpg"
    mine.write_bytes(b"mine")
    thumbnails = [{"File": "mine.jpg"}, {"File": "../photo.jpg.thumbnail-1.jpg"}, {"File": 1}, "mine.jpg"]
    item = tmp_path / "trip" / "photo.jpg.json"
    item.write_text(json.dumps(ITEM | {"Thumbnails": thumbnails}), encoding="utf-8")

    clear_result(tmp_path, FILE)

    assert not item.exists()
    assert mine.read_bytes() == b"mine"


def test_the_file_of_another_program_is_neither_cleared_nor_overwritten(tmp_path: Path):
    (tmp_path / "trip").mkdir()
    takeout = tmp_path / "trip" / "photo.jpg.json"
    takeout.write_text('{"title": "photo.jpg"}', encoding="utf-8")

    clear_result(tmp_path, FILE)
    with pytest.raises(InputError, match="File exists"):
        write_result(tmp_path, FILE, ITEM | {"Thumbnails": []}, lambda *_: b"")

    assert takeout.read_text(encoding="utf-8") == '{"title": "photo.jpg"}'


def test_an_output_folder_in_the_way_is_told(tmp_path: Path):
    (tmp_path / "trip").write_bytes(b"a file")

    with pytest.raises(InputError, match="trip"):
        write_result(tmp_path, FILE, ITEM, lambda *_: b"")
