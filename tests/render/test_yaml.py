"""YAML and JSON of a template have the same content for every parser, and YAML has the short forms."""

import enum
import json
import math

import cfn_flip
import pytest
import yaml
from cfnlint.decode import decode_str
from hypothesis import example, given, settings
from hypothesis import strategies as st

from imgpipe_templates.errors import RenderError
from imgpipe_templates.render.text import emit_json, to_json, to_yaml
from imgpipe_templates.render.yaml_text import emit_yaml

SHORT = [
    *("And", "Base64", "Cidr", "Equals", "FindInMap", "GetAZs", "If", "ImportValue"),
    *("Join", "Not", "Or", "Select", "Split", "Sub"),
]


def full_name(loader, suffix, node):
    """Return the full form of a short form, as CloudFormation reads it."""
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    else:
        value = loader.construct_sequence(node, deep=True)
    if suffix == "GetAtt":
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


class PurePython(yaml.SafeLoader):
    """YAML 1.1 as PyYAML reads it."""


class Native(yaml.CSafeLoader):
    """YAML 1.1 as libyaml reads it."""


PurePython.add_multi_constructor("!", full_name)
Native.add_multi_constructor("!", full_name)


def read_back(text):
    values = [yaml.load(text, Loader=loader) for loader in (PurePython, Native)]  # noqa: S506 - both are safe loaders
    assert values[0] == values[1]
    return values[0]


awkward = st.sampled_from(
    [
        *("yes", "No", "ON", "off", "true", "False", "null", "Null", "~", "", "y", "N", "none"),
        *("1", "-1", "+1", "0x1F", "0o17", "017", "1_000", "1e3", "1.5", ".5", "12:30", "190:20:30", ".inf", "-.INF"),
        *(".nan", "2012-10-17", "2001-12-14t21:59:43.10-05:00", "2010-09-09", "=", "<<", "-", "- a", "? a", ": a"),
        *("a: b", "a:", "a #b", "#a", "a#b", "@a", "`a", "%a", "!Ref a", "&a", "*a", "|", ">", "'a", '"a', "it's"),
        *(" a", "a ", "a  b", "\ta", "a\tb", "a\nb", "a\nb\n", "a\n\nb", "a\n\n", "\na", " a\nb", "a \nb", "a\n  b"),
        *("\tb\na", "a\n\tb", "---", "...", "a\n---\nb", "a\r\nb", "\x00", "\x7f", "\x85", "\u2028", "a\u2029b\n"),
        *("\xa0", "\ufeff", "\ufffe", "é ± …", "日本語", "🙂", "a\n🙂", "\x1b[0m", '"\\', "'\"\\"),
        *(
            "x" * 2000,
            "${AWS::Region}",
            "{a}",
            "[a]",
            "a, b",
            "a]",
            "arn:aws:s3:::x/*",
            "s3:ObjectCreated:*",
            "*",
            "a:b",
        ),
    ]
)
text = awkward | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text


def functions(inner):
    name = st.sampled_from(["Ref", "Condition", "Fn::GetAtt", "Fn::Transform", *(f"Fn::{name}" for name in SHORT)])
    return st.builds(lambda name, argument: {name: argument}, name, inner | st.lists(inner, max_size=3))


def attributes(_inner):
    return st.builds(lambda title, path: {"Fn::GetAtt": [title, path]}, text, text | st.just("Outputs.Arn"))


nodes = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3) | functions(inner) | attributes(inner)
    ),
    max_leaves=12,
)
sections = st.sampled_from(["Description", "Parameters", "Resources", "Outputs"]) | text


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(sections, nodes, max_size=3))
@example({"Resources": {"A": "a\nb\n", "B": {"Ref": "x\ny"}}})
@example({"Fn::GetAtt": ["A", "B.C"]})
@example({"Ref": "a"})
def test_yaml_and_json_have_the_same_content(template):
    assert emit_json(template) == json.dumps(template, indent=2, ensure_ascii=False) + "\n"
    assert read_back(emit_yaml(template)) == json.loads(json.dumps(template))


@settings(max_examples=300, deadline=None)
@given(text)
def test_text_remains_text_in_every_position(value):
    template = {value: value, "List": [value, [value]], "Sub": {"Fn::Sub": value}, "If": {"Fn::If": [value, 1, value]}}

    assert template == read_back(emit_yaml(template))


TEMPLATE = {
    "AWSTemplateFormatVersion": "2010-09-09",
    "Description": "Thumbnails: one for every photo",
    "Conditions": {
        "HasEmail": {"Fn::Not": [{"Fn::Equals": [{"Ref": "NotificationEmail"}, ""]}]},
        "Either": {"Fn::Or": [{"Condition": "HasEmail"}, {"Fn::And": [{"Condition": "A"}, {"Condition": "B"}]}]},
    },
    "Resources": {
        "SourceBucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "BucketName": {"Fn::Sub": "images-${Suffix}-${AWS::AccountId}"},
                "Tags": [{"Key": "iac-rlhf-amazon", "Value": "true"}],
                "Empty": [{}, []],
                "Nested": [[1, 2.5], [{"A": True}]],
            },
        },
        "Processor": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Child": {"Fn::GetAtt": ["Child", "Outputs.Arn"]},
                "Dynamic": {"Fn::GetAtt": ["Role", {"Ref": "Attribute"}]},
                "Objects": {"Fn::Sub": ["${Arn}/*", {"Arn": {"Fn::GetAtt": ["SourceBucket", "Arn"]}}]},
                "Imported": {"Fn::ImportValue": {"Fn::Sub": "${Stack}-Name"}},
                "Script": {"Fn::Base64": {"Fn::Sub": "#!/bin/sh\necho ${AWS::Region}\n"}},
                "Zone": {"Fn::Select": [0, {"Fn::GetAZs": ""}]},
                "Zones": {"Fn::GetAZs": {"Ref": "AWS::Region"}},
                "Range": {"Fn::Select": [1, {"Fn::Cidr": [{"Fn::GetAtt": ["Vpc", "CidrBlock"]}, 6, 8]}]},
                "Part": {"Fn::Select": [2, {"Fn::Split": ["-", {"Ref": "Name"}]}]},
                "Size": {"Fn::FindInMap": ["Sizes", {"Ref": "AWS::Region"}, "Large"]},
                "Optional": {"Fn::If": ["HasEmail", {"Name": {"Ref": "Name"}}, {"Ref": "AWS::NoValue"}]},
                "Joined": {"Fn::Join": [":", ["arn", {"Ref": "AWS::Partition"}, {"Fn::Sub": "a ${B}"}]]},
                "Version": "2012-10-17",
            },
        },
    },
}

READABLE = """\
AWSTemplateFormatVersion: '2010-09-09'

Description: 'Thumbnails: one for every photo'

Conditions:
  HasEmail: !Not [!Equals [!Ref NotificationEmail, '']]
  Either: !Or [!Condition HasEmail, !And [!Condition A, !Condition B]]

Resources:
  SourceBucket:
    Type: AWS::S3::Bucket
    Properties:
      BucketName: !Sub images-${Suffix}-${AWS::AccountId}
      Tags:
        - Key: iac-rlhf-amazon
          Value: 'true'
      Empty:
        - {}
        - []
      Nested:
        - - 1
          - 2.5
        - - A: true

  Processor:
    Type: AWS::Lambda::Function
    Properties:
      Role: !GetAtt Role.Arn
      Child: !GetAtt Child.Outputs.Arn
      Dynamic:
        Fn::GetAtt:
          - Role
          - !Ref Attribute
      Objects: !Sub
        - ${Arn}/*
        - Arn: !GetAtt SourceBucket.Arn
      Imported:
        Fn::ImportValue: !Sub ${Stack}-Name
      Script:
        Fn::Base64: !Sub |
          #!/bin/sh
          echo ${AWS::Region}
      Zone: !Select [0, !GetAZs '']
      Zones:
        Fn::GetAZs: !Ref AWS::Region
      Range: !Select [1, !Cidr [!GetAtt Vpc.CidrBlock, 6, 8]]
      Part: !Select [2, !Split ['-', !Ref Name]]
      Size: !FindInMap [Sizes, !Ref AWS::Region, Large]
      Optional: !If
        - HasEmail
        - Name: !Ref Name
        - !Ref AWS::NoValue
      Joined: !Join [':', [arn, !Ref AWS::Partition, !Sub 'a ${B}']]
      Version: '2012-10-17'
"""


def test_template_has_short_forms_and_block_texts():
    assert emit_yaml(TEMPLATE) == READABLE


@pytest.mark.parametrize("load", [cfn_flip.load_yaml, lambda text: decode_str(text)[0], read_back])
def test_other_parsers_read_the_same_template(load):
    assert json.loads(json.dumps(load(emit_yaml(TEMPLATE)))) == TEMPLATE


def test_arguments_too_wide_for_one_line_are_on_separate_lines():
    wide = {"Name": {"Fn::Join": ["", [f"part-number-{n}" for n in range(6)]]}}

    assert emit_yaml(wide).splitlines()[:3] == ["Name: !Join", "  - ''", "  - - part-number-0"]
    assert wide == read_back(emit_yaml(wide))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("30 days", "30 days"),
        ("10.0.0.0/16", "10.0.0.0/16"),
        ("128x128", "128x128"),
        ("it's", "it's"),
        ("it's: so", '"it\'s: so"'),
        ("0x1f", "'0x1f'"),
        ("2012-10-17", "'2012-10-17'"),
        ("a\u2028b", '"a\\Lb"'),
        ("\ufeff", '"\\uFEFF"'),
        (" a\nb", '" a\\nb"'),
        (1e16, "1.0e+16"),
        (None, "null"),
    ],
)
def test_only_texts_that_require_quotes_have_them(value, expected):
    assert emit_yaml({"A": value}) == f"A: {expected}\n"


def test_enumeration_member_is_written_as_its_value():
    class Colour(str, enum.Enum):  # noqa: UP042 - str() of a member is its name
        RED = "red"

    template = {"Value": Colour.RED, "Again": "red"}

    assert read_back(emit_yaml(template)) == json.loads(emit_json(template)) == {"Value": "red", "Again": "red"}


@pytest.mark.parametrize("number", [math.nan, math.inf])
@pytest.mark.parametrize("write", [emit_json, emit_yaml])
def test_number_without_a_json_form_is_rejected(write, number):
    with pytest.raises(RenderError, match=r"^template: .*; expected"):
        write({"A": number})


@pytest.mark.parametrize("write", [emit_json, emit_yaml])
def test_object_without_a_json_form_is_rejected(write):
    with pytest.raises((TypeError, yaml.YAMLError)):
        write({"A": object()})


def test_empty_template_is_an_empty_mapping():
    assert read_back(emit_yaml({})) == {}


def test_public_functions_write_keys_in_reading_order():
    template = {"Resources": {}, "Description": "d"}

    assert to_yaml(template) == "Description: d\n\nResources: {}\n"
    assert to_json(template) == '{\n  "Description": "d",\n  "Resources": {}\n}\n'
