"""The figures of the table: counts beside CloudFormation's limits."""

from imgpipe_templates.render.summary import summarise


def test_counts_stand_beside_cloudformations_limits():
    template = {"Resources": dict.fromkeys("ABC"), "Parameters": {"P": {}}}

    summary = summarise("pipeline", template, sizes={"json": 25_600, "yaml": 20_000})

    assert [(figure.name, figure.value, figure.limit) for figure in summary.figures] == [
        ("resources", 3, 500),
        ("parameters", 1, 200),
        ("outputs", 0, 200),
        ("bytes", 25_600, 1_000_000),
    ]
    assert summary.resources.share == 0.006
    assert summary.fits_request == ("json", "yaml")


def test_each_form_is_compared_with_what_a_request_can_carry():
    assert summarise("pipeline", {}, sizes={"json": 51_201, "yaml": 51_200}).fits_request == ("yaml",)
    assert summarise("pipeline", {}, sizes={"json": 51_201}).fits_request == ()
