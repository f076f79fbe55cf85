"""The engine's private names are asserted before they are used."""

from __future__ import annotations

import pytest

from imgpipe_templates.errors import LocalEngineError
from imgpipe_templates.local.installation import check_installed
from imgpipe_templates.local.seams import Seam, check_seams


def test_the_installed_engine_has_every_seam():
    check_seams()


def test_another_version_is_refused():
    with pytest.raises(LocalEngineError) as failure:
        check_installed(expected="1.6.0")

    assert str(failure.value) == (
        "local engine: ministack: is version 1.5.33; expected 1.6.0, run pip install ministack==1.6.0"
    )


def test_a_missing_extra_is_told_with_the_command_that_installs_it():
    with pytest.raises(LocalEngineError) as failure:
        check_installed("no-such-engine")

    assert str(failure.value) == (
        "local engine: no-such-engine: is not installed; run pip install 'imgpipe-templates[local]'"
    )


def test_a_name_that_is_gone_is_told():
    with pytest.raises(
        LocalEngineError, match=r"^local engine: ministack\.app\.gone: is gone; expected as in 1\.5\.33"
    ):
        check_seams(seams=(Seam("ministack.app", "gone", None),))


def test_other_parameters_are_told():
    seam = Seam("ministack.services.lambda_svc", "_execute_function", ("func",))

    with pytest.raises(LocalEngineError, match=r"_execute_function: takes \(func, event\); expected \(func\), as in"):
        check_seams(seams=(seam,))


def test_parameters_that_do_not_matter_are_not_compared():
    enforce = "ministack.core.iam_evaluator", "enforce"

    check_seams(seams=(Seam(*enforce, ("access_key_id", "...", "resource_arn", "...")),))
    with pytest.raises(LocalEngineError, match=r"enforce: takes \(access_key_id, "):
        check_seams(seams=(Seam(*enforce, ("...", "gone", "...")),))
