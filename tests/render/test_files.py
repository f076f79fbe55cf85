"""All files of a pipeline are replaced together, have the same bytes everywhere, and other files are kept."""

import dataclasses
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from imgpipe_templates.errors import RenderError
from imgpipe_templates.render.files import Staleness, plan_files, stale_files, write_files
from imgpipe_templates.render.manifest import RenderedPipeline

FOLDER = Path("thumbnails/exports")


@pytest.fixture
def plan(rendered):
    return plan_files(rendered, ["json", "yaml"])


def contents(out):
    return {path.relative_to(out): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def renamed(rendered, old, new):
    stacks = {new if name == old else name: template for name, template in rendered.stacks.items()}
    return dataclasses.replace(rendered, stacks=stacks, deploy_order=tuple(stacks))


def test_plan_has_a_file_for_every_stack_and_format_and_the_manifest_last(plan):
    assert list(plan) == [
        FOLDER / "storage.template.json",
        FOLDER / "storage.template.yaml",
        FOLDER / "processing.template.json",
        FOLDER / "processing.template.yaml",
        FOLDER / "storage.parameters.json",
        FOLDER / "processing.parameters.json",
        FOLDER / "manifest.json",
    ]


def test_written_files_are_exactly_the_planned_files(plan, tmp_path):
    out = tmp_path / "new" / "build"

    assert write_files(plan, out) == list(plan)
    assert contents(out) == plan
    assert stale_files(plan, out) == []


def test_files_with_the_planned_content_are_not_written_again(plan, tmp_path):
    write_files(plan, tmp_path)
    changed = FOLDER / "storage.template.yaml"
    (tmp_path / changed).write_text("edited")
    before = {path: (tmp_path / path).stat().st_mtime_ns for path in plan}

    assert write_files(plan, tmp_path) == [changed]
    assert {path for path in plan if (tmp_path / path).stat().st_mtime_ns != before[path]} == {changed}
    assert write_files(plan, tmp_path) == []


def test_files_of_a_removed_stack_are_deleted_and_others_are_kept(plan, rendered, tmp_path):
    write_files(plan, tmp_path)
    others = [tmp_path / FOLDER / "notes.txt", tmp_path / FOLDER / "other.template.yaml", tmp_path / "other"]
    for other in others:
        other.write_text("mine")
    new_plan = plan_files(renamed(rendered, "storage", "buckets"), ["yaml"])

    write_files(new_plan, tmp_path)

    expected = new_plan | {other.relative_to(tmp_path): b"mine" for other in others}
    assert contents(tmp_path) == expected


@pytest.mark.parametrize(
    "manifest",
    [
        "not json",
        "[]",
        '{"stacks": {"a": {"files": [{"path": 5}]}}}',
        '{"stacks": {"a": {"files": [{"path": "../other.template.yaml"}, {"path": "notes.txt"}]}}}',
    ],
)
def test_foreign_manifest_removes_no_files(manifest, plan, tmp_path):
    (tmp_path / FOLDER).mkdir(parents=True)
    (tmp_path / FOLDER / "manifest.json").write_text(manifest)
    mine = [tmp_path / "thumbnails" / "other.template.yaml", tmp_path / FOLDER / "notes.txt"]
    for path in mine:
        path.write_text("mine")

    write_files(plan, tmp_path)

    assert [path.read_text() for path in mine] == ["mine", "mine"]


def test_check_lists_missing_different_and_obsolete_files(plan, rendered, tmp_path):
    write_files(plan, tmp_path)
    (tmp_path / FOLDER / "processing.template.json").unlink()
    (tmp_path / FOLDER / "processing.template.yaml").write_text("edited")
    before = contents(tmp_path)

    found = stale_files(plan_files(renamed(rendered, "storage", "buckets"), ["json", "yaml"]), tmp_path)

    assert set(found) == {
        Staleness(FOLDER / "buckets.template.json", "missing"),
        Staleness(FOLDER / "buckets.template.yaml", "missing"),
        Staleness(FOLDER / "processing.template.json", "missing"),
        Staleness(FOLDER / "processing.template.yaml", "different"),
        Staleness(FOLDER / "manifest.json", "different"),
        Staleness(FOLDER / "buckets.parameters.json", "missing"),
        Staleness(FOLDER / "storage.parameters.json", "obsolete"),
        Staleness(FOLDER / "storage.template.json", "obsolete"),
        Staleness(FOLDER / "storage.template.yaml", "obsolete"),
    }
    assert contents(tmp_path) == before


@pytest.mark.parametrize("blocking", ["build", "build/thumbnails", "build/thumbnails/exports"])
def test_file_in_the_place_of_a_folder_is_reported_and_kept(blocking, plan, tmp_path):
    path = tmp_path / blocking
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")

    with pytest.raises(RenderError) as raised:
        write_files(plan, tmp_path / "build")

    assert str(raised.value) == f"{path}: is a file; expected a folder, or no folder yet"
    assert contents(tmp_path) == {Path(blocking): b"mine"}


def test_folder_in_the_place_of_a_file_is_reported(plan, tmp_path):
    place = tmp_path / FOLDER / "storage.template.json"
    place.mkdir(parents=True)

    with pytest.raises(RenderError) as raised:
        write_files(plan, tmp_path)

    assert str(raised.value) == f"{place}: is a folder; expected a file, or no file yet"


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder without write access")
def test_folder_without_write_access_is_reported(plan):
    with pytest.raises(RenderError, match=r"^/proc/imgpipe: cannot be written; "):
        write_files(plan, Path("/proc/imgpipe"))


def test_full_disk_leaves_all_files_unchanged(plan, rendered, tmp_path):
    write_files(plan, tmp_path)
    before = contents(tmp_path)
    large = {"Description": "x" * 200_000, "Resources": {}}
    larger = plan_files(dataclasses.replace(rendered, stacks={**rendered.stacks, "processing": large}), ["json"])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(RenderError, match=r"processing\.template\.json: cannot be written; "):
            write_files(larger, tmp_path)
        with pytest.raises(RenderError):
            write_files(larger, tmp_path / "new" / "build")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert contents(tmp_path) == before
    assert not (tmp_path / "new").exists()


def test_failed_move_undoes_the_moves_before_it(plan, rendered, tmp_path):
    write_files(plan, tmp_path)
    before = contents(tmp_path)
    changed = plan_files(dataclasses.replace(rendered, functions=()), ["json"])
    # The folder of the second pipeline cannot be created: its name is a link to a path that does not exist.
    (tmp_path / "other").symlink_to(tmp_path / "nowhere" / "deep")
    elsewhere = {Path("other/single/pipeline.template.json"): b"{}\n"}

    with pytest.raises(RenderError, match="other"):
        write_files({**changed, **elsewhere}, tmp_path)

    assert contents(tmp_path) == before


def test_half_a_character_is_reported():
    broken = RenderedPipeline("p", "single", {"pipeline": {"Description": "\udcff"}}, ("pipeline",))

    for suffix in ("json", "yaml"):
        with pytest.raises(RenderError, match="half a character"):
            plan_files(broken, [suffix])


def test_bytes_do_not_depend_on_the_hash_seed(rendered):
    script = (
        "import hashlib, json, sys\n"
        "from imgpipe_templates.render.files import plan_files\n"
        "from imgpipe_templates.render.manifest import RenderedPipeline\n"
        "from imgpipe_templates.core.stack import FunctionCode\n"
        "given = json.loads(sys.argv[1])\n"
        "given['functions'] = [FunctionCode(**code) for code in given['functions']]\n"
        "rendered = RenderedPipeline(**given)\n"
        "print(hashlib.sha256(b''.join(plan_files(rendered, ['json', 'yaml']).values())).hexdigest())\n"
    )
    command = [sys.executable, "-c", script, json.dumps(dataclasses.asdict(rendered))]
    runs = [
        subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True)
        for seed in ("0", "4711")
    ]

    assert len(runs[0].stdout) == 65
    assert runs[0].stdout == runs[1].stdout
