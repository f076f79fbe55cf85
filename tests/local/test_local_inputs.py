"""Which files a run uploads, and what is told before it starts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from imgpipe_templates.local.inputs import InputError, Selection, select_files


def files(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return folder


def keys(selection: Selection) -> list[str]:
    return [file.key for file in selection.files]


def left_out(selection: Selection) -> dict[str, str]:
    return {skipped.path.name: skipped.reason for skipped in selection.skipped}


def test_a_file_keeps_its_name_and_a_folder_its_paths(tmp_path: Path):
    photos = files(tmp_path / "photos", "b.jpg", "trip/a b+c%.JPG", "trip/ü.png")
    single = files(tmp_path / "other", "single.jpg") / "single.jpg"

    assert keys(select_files([photos, single], tmp_path / "out")) == [
        "b.jpg",
        "trip/a b+c%.JPG",
        "trip/ü.png",
        "single.jpg",
    ]


def test_hidden_files_and_special_files_are_skipped_and_told(tmp_path: Path):
    photos = files(tmp_path / "photos", "a.jpg", ".DS_Store", ".thumbnails/x.jpg")
    os.mkfifo(photos / "pipe")
    (photos / "broken").symlink_to(photos / "nothing")

    selection = select_files([photos], tmp_path / "out")

    assert keys(selection) == ["a.jpg"]
    assert left_out(selection) == {
        ".DS_Store": "hidden",
        ".thumbnails": "hidden",
        "pipe": "not a regular file",
        "broken": "not a regular file",
    }


def test_results_inside_the_folder_are_not_uploaded_again(tmp_path: Path):
    photos = files(tmp_path / "photos", "a.jpg", "out/z.jpg.json", "out/z.jpg.thumbnail-128.jpg")

    selection = select_files([photos], photos / "out")

    assert keys(selection) == ["a.jpg"]
    assert left_out(selection) == {"out": "the folder that results are written to"}


def test_results_beside_their_photos_are_not_uploaded_again(tmp_path: Path):
    photos = files(tmp_path, "a.jpg", "a.jpg.thumbnail-128.jpg", "b.jpg.thumbnail-1.jpg")
    item = {"ImageId": "1", "ObjectKey": "a.jpg", "Status": "processed"}
    thumbnails = [{"File": "a.jpg.thumbnail-128.jpg"}]
    (photos / "a.jpg.json").write_text(json.dumps(item | {"Thumbnails": thumbnails}), encoding="utf-8")

    selection = select_files([photos], photos)

    assert keys(selection) == ["a.jpg", "b.jpg.thumbnail-1.jpg"]
    assert set(left_out(selection).values()) == {"written by an earlier run"}


def test_one_file_given_twice_is_one_file(tmp_path: Path):
    photo = files(tmp_path, "a.jpg") / "a.jpg"

    assert keys(select_files([photo, photo], tmp_path / "out")) == ["a.jpg"]


def test_all_faults_are_told_at_once(tmp_path: Path):
    first = files(tmp_path / "one", "a.jpg") / "a.jpg"
    second = files(tmp_path / "two", "a.jpg") / "a.jpg"
    empty = tmp_path / "empty"
    empty.mkdir()

    with pytest.raises(InputError) as failure:
        select_files([first, second, empty, tmp_path / "missing.jpg"], tmp_path / "out")

    assert str(failure.value).splitlines() == [
        f"{empty}: holds no file to upload; expected photos (0 files skipped)",
        f"{tmp_path / 'missing.jpg'}: no such file or folder; expected an existing one",
        f"{first} and {second}: both have the key 'a.jpg'; expected one file per key",
    ]


def test_an_unusable_output_folder_is_told(tmp_path: Path):
    photo = files(tmp_path, "a.jpg") / "a.jpg"

    with pytest.raises(InputError, match=r"a\.jpg/out: cannot be written to: Not a directory"):
        select_files([photo], photo / "out")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_unreadable_file_is_told(tmp_path: Path):
    photo = files(tmp_path, "a.jpg") / "a.jpg"
    photo.chmod(0)

    with pytest.raises(InputError, match="cannot be read: Permission denied"):
        select_files([photo], tmp_path / "out")


def test_what_another_program_wrote_is_not_overwritten(tmp_path: Path):
    photo = files(tmp_path, "a.jpg") / "a.jpg"
    (tmp_path / "a.jpg.json").write_text('{"title": "of a photo archive"}', encoding="utf-8")

    with pytest.raises(InputError, match=r"a\.jpg\.json: is there and was not written by a run; expected another out"):
        select_files([photo], tmp_path)


@pytest.mark.parametrize("other", ["a.jpg.json", "a.jpg.thumbnail-128.jpg"])
def test_a_given_file_is_never_overwritten(tmp_path: Path, other: str):
    files(tmp_path, "a.jpg", other)

    with pytest.raises(InputError, match=f"{other}: would be overwritten by a result of .*a.jpg; expected another out"):
        select_files([tmp_path / "a.jpg", tmp_path / other], tmp_path)


def test_a_name_that_cannot_be_a_key_is_told(tmp_path: Path):
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.jpg"))).write_bytes(b"x")

    with pytest.raises(InputError, match=r"its name is not UTF-8; expected a name that can be an object key"):
        select_files([tmp_path], tmp_path / "out")
