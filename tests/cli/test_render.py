"""`imgpipe render`: output, files and exit statuses that scripts depend on."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from imgpipe_templates.config import DEFAULT_PRESET

FOLDER = Path("build") / DEFAULT_PRESET / "single"
THUMBNAILS = Path("build/thumbnails/single")
THREE_MISTAKES = """\
preset = "thumbnails"

[processing]
thumbnail_size_px = 9000
memory_mb = "lots"
thumbnail_px = 128
"""


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_default_is_one_stack_in_both_formats_under_build(imgpipe):
    done = imgpipe("render")

    names = ["pipeline.template.json", "pipeline.template.yaml", "pipeline.parameters.json", "manifest.json"]
    assert done.status == 0
    assert done.out.splitlines() == [str(FOLDER / name) for name in names]
    assert sorted(files(FOLDER)) == sorted(names)
    assert f"{DEFAULT_PRESET}/pipeline" in done.err


@pytest.mark.parametrize(
    "choice",
    [
        [],
        ["--preset", "thumbnails"],
        ["--preset", "single-bucket", "--set", "description=two words", "--set", "processing.memory_mb=1024"],
        ["--config", "my own.toml"],
    ],
)
def test_next_commands_are_printed_for_the_same_pipeline(imgpipe, choice):
    Path("my own.toml").write_text('preset = "thumbnails"\n')

    printed = dict(line.split(":", 1) for line in imgpipe("render", *choice).err.splitlines() if ":  " in line)

    assert shlex.split(printed["Try it here"]) == ["imgpipe", "local", "run", *choice, "PHOTO..."]
    assert shlex.split(printed["Build its code"]) == ["imgpipe", "package", *choice]


def test_next_command_builds_in_the_folder_of_the_templates(imgpipe):
    printed = imgpipe("render", "--preset", "thumbnails", "--out", "my out").err

    assert "Build its code:  imgpipe package --preset thumbnails --out 'my out'" in printed
    assert "local run --preset thumbnails PHOTO..." in printed


@pytest.mark.parametrize("called", ["script", "module"])
def test_next_command_has_the_program_name_of_this_call(tmp_path, repository, called):
    """The program is a console script outside of PATH, as in an inactive environment, or a module."""
    script = tmp_path / "imgpipe"
    script.write_text(f"#!{sys.executable}\nfrom imgpipe_templates.__main__ import main\nmain()\n")
    script.chmod(0o755)
    command = [str(script)] if called == "script" else [sys.executable, "-m", "imgpipe_templates"]
    environment = {**os.environ, "PYTHONPATH": str(repository), "PATH": "/usr/bin:/bin"}

    done = subprocess.run([*command, "init"], check=True, capture_output=True, text=True, cwd=tmp_path, env=environment)

    expected = "imgpipe" if called == "script" else f"{sys.executable} -m imgpipe_templates"
    assert f"run `{expected} render`" in done.stderr


def test_next_command_for_several_pipelines_runs_one(imgpipe):
    done = imgpipe("render", "--preset", "thumbnails", "--preset", "single-bucket")

    assert "imgpipe local run --preset NAME PHOTO..." in done.err
    assert "imgpipe package --preset thumbnails --preset single-bucket" in done.err


@pytest.mark.parametrize("text_format", ["json", "yaml"])
def test_single_format_is_written(imgpipe, text_format):
    assert imgpipe("render", "--preset", "thumbnails", "--format", text_format, "--out", "elsewhere").status == 0

    assert set(files(Path("elsewhere"))) == {
        f"thumbnails/single/pipeline.template.{text_format}",
        "thumbnails/single/pipeline.parameters.json",
        "thumbnails/single/manifest.json",
    }


def test_compact_json_has_the_same_content(imgpipe):
    imgpipe("render", "--format", "compact-json")

    compact = (FOLDER / "pipeline.template.json").read_text()
    assert compact.count("\n") == 1
    imgpipe("render", "--format", "json")
    assert json.loads(compact) == json.loads((FOLDER / "pipeline.template.json").read_text())


def test_template_on_stdout_writes_no_file(imgpipe):
    printed = imgpipe("render", "--preset", "thumbnails", "--out", "-", "--format", "json")

    assert printed.status == 0
    assert "SourceBucket" in json.loads(printed.out)["Resources"]
    assert imgpipe("render", "--preset", "thumbnails", "--out", "-").out.startswith("AWSTemplateFormatVersion: ")
    assert list(Path.cwd().iterdir()) == []


def test_deployed_stack_has_a_parameter_file_for_the_aws_cli(imgpipe):
    imgpipe("render", "--preset", "thumbnails")

    values = json.loads(Path("build/thumbnails/single/pipeline.parameters.json").read_text())
    by_key = {one["ParameterKey"]: one["ParameterValue"] for one in values}
    assert by_key["ThumbnailSize"] == "128"
    assert by_key["SourceBucketName"] == ""  # the user sets it
    imgpipe("render", "--preset", "thumbnails", "--layout", "nested")
    assert [path.name for path in Path("build/thumbnails/nested").glob("*.parameters.json")] == ["root.parameters.json"]


@pytest.mark.parametrize(
    ("preset", "message"),
    [
        ("media-library", "media-library/pipeline: only the YAML is within 51,200 bytes and needs no S3"),
        ("production", "Upload these templates to S3 to deploy them, because they are over 51,200 bytes:"),
    ],
)
def test_s3_is_required_only_if_no_format_is_small_enough(imgpipe, preset, message):
    printed = imgpipe("render", "--preset", preset).err.splitlines()

    assert [line for line in printed if "51,200" in line] == [message]


def test_nested_root_names_template_files_of_the_same_format(imgpipe):
    assert imgpipe("render", "--layout", "nested").status == 0

    folder = Path("build") / DEFAULT_PRESET / "nested"
    as_json = json.loads((folder / "root.template.json").read_text())
    for resource in as_json["Resources"].values():
        name = resource["Properties"]["TemplateURL"]
        assert (folder / name).is_file()
        assert f"TemplateURL: {name.removesuffix('.json')}.yaml" in (folder / "root.template.yaml").read_text()
    assert json.loads((folder / "manifest.json").read_text())["deploy_order"] == ["root"]


def test_manifest_lists_files_order_parameters_and_capabilities(imgpipe):
    imgpipe("render", "--preset", "thumbnails")

    manifest = json.loads((THUMBNAILS / "manifest.json").read_text())
    stack = manifest["stacks"]["pipeline"]
    assert manifest["deploy_order"] == ["pipeline"]
    assert {file["path"]: file["sha256"] for file in stack["files"]} == {
        name: hashlib.sha256(text).hexdigest() for name, text in files(THUMBNAILS).items() if ".template." in name
    }
    assert stack["capabilities"] == ["CAPABILITY_IAM"]
    required = {parameter["name"] for parameter in stack["parameters"] if parameter["required"]}
    assert required == {"SourceBucketName", "CodeBucket", "ImageProcessorCodeKey"}
    (function,) = manifest["functions"]
    assert (function["package"], function["key_parameter"]) == ("processor", "ImageProcessorCodeKey")


def test_output_does_not_depend_on_hash_seed_time_zone_and_locale(tmp_path):
    made = []
    for seed, zone, language in (("1", "UTC", "C"), ("2", "Asia/Tokyo", "tr_TR.UTF-8")):
        out = tmp_path / seed
        subprocess.run(
            [sys.executable, "-m", "imgpipe_templates", "render", "--preset", "thumbnails", "--out", out],
            check=True,
            capture_output=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": language},
        )
        made.append(files(out))
    assert made[0] == made[1]


def test_committed_templates_are_up_to_date(repository, imgpipe):
    assert imgpipe("render", "--preset", "all", "--out", repository / "build", "--check").status == 0


def test_check_writes_nothing_and_lists_stale_files(imgpipe):
    missing = imgpipe("render", "--check")
    assert (missing.status, missing.out) == (1, "")
    assert f"stale: {FOLDER / 'pipeline.template.json'}: missing" in missing.err
    assert not Path("build").exists()

    imgpipe("render")
    assert imgpipe("render", "--check").status == 0

    changed = FOLDER / "pipeline.template.yaml"
    changed.write_text("# changed by hand\n")
    different = imgpipe("render", "--check")
    assert different.status == 1
    assert f"stale: {changed}: different" in different.err
    assert changed.read_text() == "# changed by hand\n"


def test_configuration_in_the_current_folder_is_the_default(imgpipe):
    Path("imgpipe.toml").write_text('preset = "thumbnails"\nname = "holiday"\n')

    assert imgpipe("render").status == 0
    assert (Path("build") / "holiday" / "single" / "pipeline.template.json").is_file()


def test_preset_and_file_are_both_rendered(imgpipe):
    Path("own.toml").write_text('preset = "thumbnails"\nname = "own"\n')

    assert imgpipe("render", "--preset", "all", "--config", "own.toml").status == 0
    assert {path.name for path in Path("build").iterdir()} >= {"own", "thumbnails"}


def test_two_pipelines_of_one_name_are_rejected(imgpipe):
    Path("own.toml").write_text('preset = "thumbnails"\n')

    rejected = imgpipe("render", "--preset", "thumbnails", "--config", "own.toml")
    assert rejected.status == 1
    assert "'thumbnails' is the name of two selected pipelines" in rejected.err


def test_set_overrides_one_key(imgpipe):
    imgpipe("render", "--set", "processing.memory_mb=2048", "--set", "name=bigger")

    template = json.loads(Path("build/bigger/single/pipeline.template.json").read_text())
    assert template["Resources"]["ImageProcessorFunction"]["Properties"]["MemorySize"] == 2048


def test_all_mistakes_are_reported_together_and_nothing_is_written(imgpipe):
    Path("imgpipe.toml").write_text(THREE_MISTAKES)

    rejected = imgpipe("render")

    assert rejected.status == 1
    assert rejected.err.splitlines() == [
        "error: imgpipe.toml:4: processing.thumbnail_size_px: 9000 is out of range; expected 64..512 pixels",
        "error: imgpipe.toml:5: processing.memory_mb: expected a whole number, got 'lots'; expected 128..10240 MB",
        "error: imgpipe.toml:6: processing.thumbnail_px: unknown key; did you mean thumbnail_size_px?",
    ]
    assert not Path("build").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["render", "--preset", "thumbnail"], 2, "did you mean thumbnails?"),
        (["render", "--config", "none.toml"], 1, "none.toml: no such file"),
        (["render", "--set", "processing.memory_mb"], 1, "processing.memory_mb"),
        (["render", "--layout", "sideways"], 2, "sideways"),
        (["render", "--format", "xml"], 2, "xml"),
        (["render", "--nonsense"], 2, "--nonsense"),
        (["rendr"], 2, "rendr"),
        (["render", "--layout", "nested", "--out", "-"], 2, "'-' prints one template, but 10 are rendered"),
        (["init", "--preset", "thumbnail"], 2, "did you mean thumbnails?"),
    ],
)
def test_wrong_input_has_status_1_and_wrong_command_line_status_2(imgpipe, arguments, status, message):
    rejected = imgpipe(*arguments)

    assert rejected.status == status
    assert message in rejected.err
    assert rejected.out == ""
    assert not Path("build").exists()


def test_folder_that_cannot_be_written_is_reported(imgpipe):
    Path("taken").write_text("a file")

    rejected = imgpipe("render", "--out", "taken")
    assert rejected.status == 1
    assert "taken: is a file; expected a folder" in rejected.err


def test_finding_is_printed_with_its_template_and_nothing_is_written(imgpipe):
    Path("own.toml").write_text('preset = "thumbnails"\nname = "own"\n[tags]\nOwner = "arn:aws:iam::aws:user"\n')

    rejected = imgpipe("render", "--preset", "thumbnails", "--config", "own.toml")
    assert rejected.status == 1
    assert not Path("build").exists()
    findings = [line for line in rejected.err.splitlines() if line.startswith("own/single/pipeline.template.json: ")]
    assert any("Resources.SourceBucket.Properties.Tags" in line and line.endswith("]") for line in findings)
    assert rejected.err.splitlines()[-1].endswith("nothing was written")


def test_render_needs_no_network_and_no_credentials(tmp_path):
    script = (
        "import os, sys\n"
        "def refuse(event, arguments):\n"
        "    if event.startswith('socket.'):\n"
        "        print(event, *arguments, file=sys.stderr, flush=True)\n"
        "        os._exit(3)\n"
        "sys.addaudithook(refuse)\n"
        "from imgpipe_templates.__main__ import main\n"
        "sys.argv[1:] = ['render', '--no-cache']\n"
        "main()\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {"HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"}

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=tmp_path, env=environment
    )

    assert done.returncode == 0, done.stderr
    assert (tmp_path / FOLDER / "manifest.json").is_file()
