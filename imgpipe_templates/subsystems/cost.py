"""Cost: the monthly budget of the project, and who hears of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field
from troposphere import If, budgets

from imgpipe_templates.configuration import Conflict, Range, Section
from imgpipe_templates.core.handles import Topic
from imgpipe_templates.core.naming import Value
from imgpipe_templates.core.parameters import ParameterGroup, ParameterSpec
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.patterns.regions import BUDGETS, in_regions

COST = ParameterGroup(6, "Cost")

MONTHLY_BUDGET_USD = Range(1, 1_000_000, "US dollars")


class CostConfig(Section):
    """The budget of one month."""

    monthly_budget_usd: Annotated[
        int, MONTHLY_BUDGET_USD, Field(description="Monthly budget for all resources with the project's tag.")
    ] = 50
    forecast_alert_percent: Annotated[
        int,
        Range(1, 1_000, "percent"),
        Field(description="Send an alert if the month's forecast exceeds this percentage of the budget."),
    ] = 80
    actual_alert_percent: Annotated[
        int,
        Range(1, 1_000, "percent"),
        Field(description="Send an alert if the month's cost exceeds this percentage of the budget."),
    ] = 100

    def conflicts(self) -> Iterator[Conflict]:
        """A forecast that could only warn of what has been spent already."""
        if self.forecast_alert_percent > self.actual_alert_percent:
            yield Conflict(
                ("forecast_alert_percent", "actual_alert_percent"),
                f"a forecast of {self.forecast_alert_percent} % would send an alert after "
                f"{self.actual_alert_percent} % have been spent; "
                "expected a forecast_alert_percent of at most actual_alert_percent",
            )


def add_cost(scope: Scope, config: CostConfig, *, project: str, operators: Topic) -> None:
    """Add the budget, which notifies `operators` if the forecast or the cost exceeds its percentage.

    It counts resources with the tag Project, which must be activated once per account as a cost allocation tag
    (AWS Billing User Guide, "Activating user-defined cost allocation tags", read 2026-11); until then it counts zero.
    Where CloudFormation has no budgets, the stack is created without it, and the output ProjectBudgetName says so.

    Args:
        scope: Where it goes.
        config: How much, and from which share on.
        project: The value of the tag Project.
        operators: The topic that hears of it; its policy must let budgets.amazonaws.com publish.
    """
    limit = scope.parameter(_monthly_budget(config))
    name = scope.names.value("ProjectBudget")
    budget = budgets.Budget(
        "ProjectBudget",
        Budget=budgets.BudgetData(
            BudgetLimit=budgets.Spend(Amount=limit, Unit="USD"),
            BudgetName=name,
            BudgetType="COST",
            # AWS Cost Management User Guide, "Budgets filters", read 2026-11: user-defined tags start with `user:`.
            CostFilters={"TagKeyValue": [f"user:Project${project}"]},
            TimeUnit="MONTHLY",
        ),
        NotificationsWithSubscribers=[
            _alert("FORECASTED", config.forecast_alert_percent, operators.arn),
            _alert("ACTUAL", config.actual_alert_percent, operators.arn),
        ],
    )
    budget.Condition = in_regions(scope, "RegionHasBudgets", BUDGETS)
    scope.add(budget)
    scope.output(
        "ProjectBudgetName",
        If(budget.Condition, name, "none, because CloudFormation has no AWS::Budgets::Budget in this Region"),
        "Name of the monthly budget, which counts zero until the tag Project is activated as a cost allocation tag",
    )


def _alert(
    kind: Literal["ACTUAL", "FORECASTED"], above_percent: int, topic_arn: Value
) -> budgets.NotificationWithSubscribers:
    return budgets.NotificationWithSubscribers(
        Notification=budgets.Notification(
            ComparisonOperator="GREATER_THAN",
            NotificationType=kind,
            Threshold=above_percent,
            ThresholdType="PERCENTAGE",
        ),
        Subscribers=[budgets.Subscriber(Address=topic_arn, SubscriptionType="SNS")],
    )


def _monthly_budget(config: CostConfig) -> ParameterSpec:
    return ParameterSpec(
        "MonthlyBudgetUsd",
        COST,
        "Monthly budget, in US dollars",
        {
            "Type": "Number",
            "Default": config.monthly_budget_usd,
            **MONTHLY_BUDGET_USD.limits(),
            "Description": "Monthly budget, in US dollars, for all resources with this Project tag",
        },
    )
