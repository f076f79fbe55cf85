"""Cost: the budget counts this project, and operators hear of it in time."""

from __future__ import annotations

from datetime import date

import pytest
from troposphere import Sub

from imgpipe_templates.checks import check_templates
from imgpipe_templates.core.handles import Topic
from imgpipe_templates.core.layouts import SingleStack
from imgpipe_templates.core.naming import Names
from imgpipe_templates.core.stack import Scope, Stack
from imgpipe_templates.patterns.environment import declare_environment, standard_tags
from imgpipe_templates.render.text import to_json
from imgpipe_templates.subsystems.cost import CostConfig, add_cost
from tests.templates import said

NAMES = Names({"ProjectBudget": "ImagePipeline-${EnvironmentSuffix}-${AWS::Region}"})
TOPIC = "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:ImageProcessing-${EnvironmentSuffix}"


@pytest.fixture
def scope():
    stack = Stack("subject", SingleStack())
    scope = Scope(stack, "cost", NAMES, standard_tags(project="photos", purpose="test", extra={}))
    declare_environment(scope, environment="production", suffix="dev", longest_suffix=20)
    return scope


@pytest.fixture
def operators():
    elsewhere = Stack("notifications", SingleStack())
    return Topic(elsewhere, elsewhere, "ProcessingNotificationTopic", {"Arn": Sub(TOPIC)})


def built(scope, operators, **config):
    add_cost(scope, CostConfig(**config), project="photos", operators=operators)
    return scope.stack.to_dict("cost alone")


def budget(template):
    return template["Resources"]["ProjectBudget"]["Properties"]


def test_what_carries_the_tag_of_the_project_is_counted_by_the_month(scope, operators):
    counted = budget(built(scope, operators))["Budget"]

    assert counted["CostFilters"] == {"TagKeyValue": ["user:Project$photos"]}
    assert (counted["BudgetType"], counted["TimeUnit"]) == ("COST", "MONTHLY")


def test_the_budget_is_a_parameter_with_the_configured_default(scope, operators):
    template = built(scope, operators, monthly_budget_usd=120)

    assert template["Parameters"]["MonthlyBudgetUsd"]["Default"] == 120
    assert budget(template)["Budget"]["BudgetLimit"] == {"Amount": {"Ref": "MonthlyBudgetUsd"}, "Unit": "USD"}


def test_operators_are_notified_of_a_forecast_and_a_cost_above_their_percentages(scope, operators):
    alerts = budget(built(scope, operators, forecast_alert_percent=70, actual_alert_percent=90))

    notifications = [
        (
            alert["Notification"]["NotificationType"],
            alert["Notification"]["Threshold"],
            alert["Notification"]["ThresholdType"],
            [(each["SubscriptionType"], said(each["Address"])) for each in alert["Subscribers"]],
        )
        for alert in alerts["NotificationsWithSubscribers"]
    ]
    assert notifications == [
        ("FORECASTED", 70, "PERCENTAGE", [("SNS", TOPIC)]),
        ("ACTUAL", 90, "PERCENTAGE", [("SNS", TOPIC)]),
    ]


def test_without_configuration_the_shares_are_80_and_100_percent():
    assert (CostConfig().forecast_alert_percent, CostConfig().actual_alert_percent) == (80, 100)


def test_a_forecast_that_comes_after_the_bill_is_refused():
    (conflict,) = CostConfig(forecast_alert_percent=110, actual_alert_percent=100).conflicts()
    assert conflict.keys == ("forecast_alert_percent", "actual_alert_percent")
    assert not list(CostConfig(forecast_alert_percent=100, actual_alert_percent=100).conflicts())


def test_the_budget_has_its_name_and_its_tags_under_the_name_of_its_type(scope, operators):
    """Budgets are of the account and not of a Region, so the name contains the Region."""
    found = budget(built(scope, operators))

    assert said(found["Budget"]["BudgetName"]) == "ImagePipeline-${EnvironmentSuffix}-${AWS::Region}"
    assert {tag["Key"]: tag["Value"] for tag in found["ResourceTags"]} == {
        "Environment": {"Ref": "Environment"},
        "Project": "photos",
        "Purpose": "test",
        "iac-rlhf-amazon": "true",
    }


def test_the_checks_find_nothing(scope, operators):
    text = to_json(built(scope, operators))
    assert check_templates({"cost": text}, today=date(2026, 11, 20)) == []
