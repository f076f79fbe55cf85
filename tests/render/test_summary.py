"""The figures of the table: counts beside CloudFormation's limits."""

from imgpipe_templates.render.summary import summarise


def test_counts_stand_beside_cloudformations_limits():
    template = {"Resources": dict.fromkeys("ABC"), "Parameters": {"P": {}}}

    summary = summarise("pipeline", template, size_bytes=25_600)

    assert [(figure.name, figure.value, figure.limit) for figure in summary.figures] == [
        ("resources", 3, 500),
        ("parameters", 1, 200),
        ("outputs", 0, 200),
        ("bytes", 25_600, 1_000_000),
    ]
    assert summary.resources.share == 0.006
    assert not summary.needs_s3


def test_a_template_larger_than_a_request_has_to_go_through_s3():
    assert not summarise("pipeline", {}, size_bytes=51_200).needs_s3
    assert summarise("pipeline", {}, size_bytes=51_201).needs_s3
