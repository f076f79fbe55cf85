"""The preset `thumbnails` on the engine: real photos in, upright thumbnails and true records out."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from imgpipe_templates.deployment.plan import StackEvent
from imgpipe_templates.errors import DeploymentError
from imgpipe_templates.local.packages import LocalFunction
from imgpipe_templates.local.results import FileResult, RunReport
from imgpipe_templates.local.run import LocalPipeline, run_files

LONG = f"{'ü' * 120}.png"  # 244 bytes: with the name of its thumbnail behind it, more than a file system takes
ORIENTATION = 0x0112  # Exif 2.32, "Image orientation"


@dataclass
class Heard:
    """Keeps what a run tells."""

    phases: list[str] = field(default_factory=list)
    events: list[StackEvent] = field(default_factory=list)
    uploads: list[tuple[int, int]] = field(default_factory=list)
    ends: list[tuple[str, int, int]] = field(default_factory=list)

    def phase(self, name: str, detail: str = "") -> None:  # noqa: ARG002 - the protocol's signature
        self.phases.append(name)

    def stack_event(self, event: StackEvent) -> None:
        self.events.append(event)

    def uploaded(self, done: int, total: int) -> None:
        self.uploads.append((done, total))

    def settled(self, result: FileResult, done: int, total: int) -> None:
        self.ends.append((result.file.key, done, total))


@dataclass(frozen=True)
class Run:
    """One run of the pipeline."""

    report: RunReport
    heard: Heard
    out: Path

    def result(self, key: str) -> FileResult:
        return next(result for result in self.report.results if result.file.key == key)

    def item(self, key: str) -> dict[str, Any]:
        item: dict[str, Any] = json.loads((self.out / f"{key}.json").read_text(encoding="utf-8"))
        return item


def picture(size: tuple[int, int]) -> Image.Image:
    """Noise that is red above and blue below, so that its top is known."""
    width, height = size
    image = Image.effect_noise(size, 40).convert("RGB")
    image.paste((200, 20, 20), (0, 0, width, height // 4))
    image.paste((20, 20, 200), (0, 3 * height // 4, width, height))
    return image


def photos(folder: Path) -> Path:
    (folder / "trip").mkdir(parents=True)
    picture((1200, 800)).save(folder / "landscape.jpg", quality=90)
    picture((800, 1200)).save(folder / "with space + 100% Grüße 日本.JPG", format="JPEG")
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # the camera was held upright: turn a quarter clockwise to view
    picture((800, 600)).rotate(90, expand=True).save(folder / "turned.jpeg", exif=exif)
    picture((640, 640)).convert("RGBA").save(folder / "trip" / "square.PNG", format="PNG")
    picture((40, 30)).save(folder / "tiny.png")
    picture((40, 30)).save(folder / "two\nlines.png")
    picture((40, 30)).save(folder / LONG)
    (folder / "text.jpg").write_text("not an image", encoding="utf-8")
    picture((100, 100)).save(folder / "moving.gif")
    (folder / ".hidden.jpg").write_bytes(b"")
    return folder


def pipeline(template: dict[str, Any]) -> LocalPipeline:
    functions = (LocalFunction("processor", "ImageProcessorCodeKey", "python3.13"),)
    return LocalPipeline("pipeline", json.dumps(template), functions)


@pytest.fixture(scope="module")
def run(thumbnails: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder, out = tmp_path_factory.mktemp("photos") / "in", tmp_path_factory.mktemp("out")
    heard = Heard()
    return Run(run_files(pipeline(thumbnails), [photos(folder)], out, heard), heard, out)


@pytest.mark.line("001-39", "004-22")
def test_every_file_ends_as_it_should(run: Run):
    assert {result.file.key: result.status for result in run.report.results} == {
        "landscape.jpg": "processed",
        "moving.gif": "ignored",
        "text.jpg": "failed",
        "tiny.png": "processed",
        "two\nlines.png": "processed",
        LONG: "processed",
        "trip/square.PNG": "processed",
        "turned.jpeg": "processed",
        "with space + 100% Grüße 日本.JPG": "processed",
    }
    assert run.report.lost == ()
    assert [(skipped.path.name, skipped.reason) for skipped in run.report.skipped] == [(".hidden.jpg", "hidden")]


@pytest.mark.line("004-22")
@pytest.mark.parametrize(
    ("key", "seen", "thumbnail"),
    [
        ("landscape.jpg", (1200, 800), (128, 85)),
        ("with space + 100% Grüße 日本.JPG", (800, 1200), (85, 128)),
        ("turned.jpeg", (800, 600), (128, 96)),
        ("trip/square.PNG", (640, 640), (128, 128)),
        ("tiny.png", (40, 30), (40, 30)),
        ("two\nlines.png", (40, 30), (40, 30)),
    ],
)
def test_records_and_thumbnails_tell_the_same(run: Run, key: str, seen: tuple[int, int], thumbnail: tuple[int, int]):
    item = run.item(key)
    (told,) = item["Thumbnails"]
    path = (run.out / key).with_name(told["File"])

    assert (item["Width"], item["Height"]) == seen
    assert (told["Width"], told["Height"]) == thumbnail
    assert run.result(key).thumbnails == (path,)
    assert path.stat().st_size == told["Bytes"]
    with Image.open(path) as image:
        assert image.size == thumbnail
        red, _green, blue = image.convert("RGB").getpixel((image.width // 2, 2))
    assert red > blue + 100


def test_results_of_a_long_name_are_named_after_its_beginning(run: Run):
    result = run.result(LONG)

    (thumbnail,) = result.thumbnails
    assert result.json_file is not None
    assert result.json_file.name.startswith("ü" * 105 + "~")
    assert thumbnail.name == f"{result.json_file.stem}.thumbnail-128.jpg"
    assert result.item is not None
    assert result.item["ObjectKey"] == LONG


def test_items_have_plain_numbers_and_what_the_upload_told(run: Run):
    item = run.item("landscape.jpg")

    assert item["ObjectKey"] == "landscape.jpg"
    assert item["ContentType"] == "image/jpeg"
    assert item["Format"] == "JPEG"
    assert item["FileSize"] == run.result("landscape.jpg").file.path.stat().st_size
    assert item["Thumbnails"][0]["File"] == "landscape.jpg.thumbnail-128.jpg"


@pytest.mark.line("004-23")
def test_a_text_that_is_named_like_a_photo_is_rejected_with_its_category(run: Run):
    item = run.item("text.jpg")

    assert item["Status"] == "failed"
    assert run.result("text.jpg").reason == f"{item['ErrorCategory']}: {item['ErrorMessage']}"
    assert item["ErrorCategory"] in {"unsupported", "corrupt"}


def test_a_file_that_the_trigger_does_not_heed_is_told_with_the_filters(run: Run):
    assert run.result("moving.gif").reason.startswith("matches none of the trigger's filters: *.")
    assert not (run.out / "moving.gif.json").exists()


def test_the_run_tells_how_it_goes(run: Run):
    assert list(dict.fromkeys(run.heard.phases)) == [
        "runtime",
        "engine",
        "package",
        "deploy",
        "upload",
        "settle",
        "stop",
    ]
    assert run.heard.events[-1].status == "CREATE_COMPLETE"
    assert run.heard.uploads == [(number, 9) for number in range(1, 10)]
    assert [(done, total) for _, done, total in run.heard.ends] == [(number, 8) for number in range(1, 9)]
    assert run.report.notes[0].startswith("functions of python3.13 run under Python 3.1")
    assert set(run.report.seconds) == set(run.heard.phases)


def test_a_missing_right_loses_the_file_and_says_which_right(thumbnails: dict[str, Any], tmp_path: Path):
    template = copy.deepcopy(thumbnails)
    denied = {"Effect": "Deny", "Action": ["dynamodb:PutItem"], "Resource": ["*"]}
    for policy in template["Resources"]["ImageProcessorRole"]["Properties"]["Policies"]:
        policy["PolicyDocument"]["Statement"].append(denied)
    photo = tmp_path / "a.jpg"
    picture((200, 100)).save(photo)

    report = run_files(pipeline(template), [photo], tmp_path / "out")

    (lost,) = report.lost
    assert lost.status == "lost"
    assert lost.reason.startswith("ImageProcessor-dev failed 3 times: ")
    assert "its event is in arn:aws:sqs:us-east-1:123456789012:" in lost.reason
    assert "dynamodb:PutItem" in lost.log
    assert not (tmp_path / "out").exists()


def test_a_stack_that_cannot_be_created_names_the_resource(thumbnails: dict[str, Any], tmp_path: Path):
    template = copy.deepcopy(thumbnails)
    rules = template["Resources"]["SourceBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    rules[0]["ExpirationInDays"] = 0
    photo = tmp_path / "a.jpg"
    picture((200, 100)).save(photo)

    with pytest.raises(DeploymentError, match=r"^pipeline: SourceBucket: CREATE_FAILED: "):
        run_files(pipeline(template), [photo], tmp_path / "out")
