"""`imgpipe local run` on the presets that ask for more than a file: a folder for uploads, a user, several functions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from imgpipe_templates.cli import run
from imgpipe_templates.errors import LocalEngineError
from imgpipe_templates.local.packages import LocalFunction
from imgpipe_templates.local.run import LocalPipeline, run_files


def photos(folder: Path) -> Path:
    (folder / "trip").mkdir(parents=True)
    Image.effect_noise((200, 100), 40).convert("RGB").save(folder / "photo.JPG", format="JPEG")
    Image.effect_noise((90, 90), 40).save(folder / "trip" / "screen.png")
    (folder / "trip" / "text.jpg").write_text("no image", encoding="utf-8")
    (folder / "moving.gif").write_bytes(b"GIF89a")
    return folder


def test_production_takes_files_in_its_folder_by_its_queue(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder, out = photos(tmp_path / "in"), tmp_path / "out"

    status = run(["local", "run", "--preset", "production", str(folder), "--out", str(out)])

    told = capsys.readouterr()
    assert status == 0, told.err
    item = json.loads((out / "photo.JPG.json").read_text(encoding="utf-8"))
    assert (item["ObjectKey"], item["UserId"]) == ("uploads/local/photo.JPG", "local")
    assert told.out == f"{out / 'index.html'}\n"
    assert told.err.splitlines()[0].startswith("4 files: 2 processed, 1 failed, 1 ignored (")
    assert sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()) == [
        "index.html",
        "photo.JPG.json",
        "photo.JPG.thumbnail-128.jpg",
        "trip/screen.png.json",
        "trip/screen.png.thumbnail-128.jpg",
        "trip/text.jpg.json",
    ]
    assert "ignored: 1 file, .gif is not in uploads.extensions: moving.gif" in told.err
    assert "denied" not in told.err


def test_reporting_leaves_items_and_no_thumbnails(tmp_path: Path):
    folder, out = photos(tmp_path / "in"), tmp_path / "out"

    assert run(["local", "run", "--preset", "reporting", str(folder), "--out", str(out)]) == 0

    assert {path.name for path in out.rglob("*") if path.is_file()} == {
        "index.html",
        "photo.JPG.json",
        "screen.png.json",
        "text.jpg.json",
    }
    assert "Thumbnails" not in json.loads((out / "photo.JPG.json").read_text(encoding="utf-8"))


def test_a_function_finds_pillow_in_the_layer_that_is_built_for_it(tmp_path: Path):
    folder, out = photos(tmp_path / "in"), tmp_path / "out"

    layered = ["--preset", "thumbnails", "--set", "processing.pillow=layer"]
    assert run(["local", "run", *layered, str(folder), "--out", str(out)]) == 0

    assert (out / "photo.JPG.thumbnail-128.jpg").is_file()


def test_what_would_come_from_an_account_is_asked_for_before_anything_starts(tmp_path: Path):
    subnets = {"Type": "List<AWS::EC2::Subnet::Id>"}
    template = {"Parameters": {"SubnetIds": subnets, "CodeBucket": {"Type": "String"}}, "Resources": {}}
    pipeline = LocalPipeline("vpc", json.dumps(template), (LocalFunction("processor", "CodeKey", "python3.13"),))

    with pytest.raises(LocalEngineError, match=r"^vpc: SubnetIds: would come from an account, "):
        run_files(pipeline, [photos(tmp_path / "in")], tmp_path / "out")
