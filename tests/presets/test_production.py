"""The preset `production` on the engine: everything at once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine import until
from tests.presets.api import Asker, fetch
from tests.presets.lifecycle import Lifecycle
from tests.presets.pipelines import USER, Pipeline


class TestProduction(Lifecycle):
    preset = "production"
    added = ("UserIndex", ('metadata.indexes=["upload-timestamp", "status"]',), ())
    deletable = ("deletion_policy=delete", "metadata.deletion_protection=false")
    kept = {  # noqa: RUF012 - a test's expectation
        "AccessLogBucket",
        "BackupVault",
        "DataKey",
        "ImageMetadataTable",
        "SourceBucket",
        "ThumbnailBucket",
    }

    def test_its_api_answers_with_links_that_fetch_the_bytes(self, pipeline: Pipeline):
        pipeline.deploy()
        item = pipeline.process("asked.jpg")

        listed = Asker.of(pipeline).get("/images", user=USER)

        assert listed.body["images"][0]["ImageId"] == item["ImageId"]
        assert fetch(listed.body["images"][0]["Thumbnails"][0]["Url"]).status == 200
        assert pipeline.denied() == set()
        pipeline.deploy(*self.added[1])

    @pytest.mark.line("004-07", "004-08")
    def test_what_fails_again_and_again_ends_in_the_dead_letter_queue_and_raises_the_alarm(self, pipeline: Pipeline):
        def forbid(template: dict[str, Any]) -> None:
            deny = {"Effect": "Deny", "Action": ["dynamodb:PutItem"], "Resource": ["*"]}
            template["Resources"]["ImageProcessorPolicy"]["Properties"]["PolicyDocument"]["Statement"].append(deny)

        pipeline.deploy(*self.added[1], change=forbid)

        end = pipeline.lose("dead.jpg")

        assert end.reason.startswith("ImageProcessor-life-p failed 5 times: ")
        assert end.reason.endswith(":ImageProcessor-DeadLetters-life-p")
        assert "not authorized to perform: dynamodb:PutItem" in end.log
        name = pipeline.id_of("DeadLetterQueueAlarm")
        until(lambda: alarm_state(pipeline, name) == "ALARM")
        pipeline.deploy(*self.added[1])

    @pytest.mark.line("004-32", "004-39")
    def test_its_backup_and_budget_are_there(self, pipeline: Pipeline):
        plan = pipeline.id_of("BackupPlan")
        (selection,) = pipeline.client("backup").list_backup_selections(BackupPlanId=plan)["BackupSelectionsList"]
        budget = pipeline.client("budgets").describe_budget(
            AccountId=pipeline.account, BudgetName=pipeline.id_of("ProjectBudget")
        )["Budget"]

        assert selection["SelectionName"] == "TaggedForBackup"
        assert budget["BudgetLimit"] == {"Amount": "50", "Unit": "USD"}
        pipeline.deploy(*self.added[1], MonthlyBudgetUsd="75")
        again = pipeline.client("budgets").describe_budget(
            AccountId=pipeline.account, BudgetName=pipeline.id_of("ProjectBudget")
        )["Budget"]
        assert float(again["BudgetLimit"]["Amount"]) == 75
        pipeline.deploy(*self.added[1], MonthlyBudgetUsd="50")


def alarm_state(pipeline: Pipeline, name: str) -> str:
    return str(pipeline.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"])
