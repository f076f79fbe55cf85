"""Notifications: the one topic that operators listen to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import awacs.sns
from awacs.aws import PolicyDocument
from pydantic import Field
from troposphere import Equals, If, Not, Ref, sns

from imgpipe_templates import grants
from imgpipe_templates.configuration import Section
from imgpipe_templates.core.handles import Key, Topic
from imgpipe_templates.core.parameters import NOTIFICATIONS, ParameterSpec
from imgpipe_templates.core.stack import Scope
from imgpipe_templates.patterns import accepted
from imgpipe_templates.patterns.suppressions import suppress


class NotificationsConfig(Section):
    """Reports to operators, in addition to alarms."""

    reports: Annotated[
        Literal["off", "failures", "always"],
        Field(
            description="Send a report to the SNS topic after no invocation (`off`), after each invocation with a "
            "failure (`failures`), or after each invocation (`always`)."
        ),
    ] = "off"


@dataclass(frozen=True)
class Notifications:
    """The topic that every alarm notifies."""

    operators: Topic


def add_notifications(scope: Scope, *, key: Key | None = None, budgets: bool = False) -> Notifications:
    """Add the topic, who may publish to it, and the subscription of the address given at deployment.

    Args:
        scope: Where it goes.
        key: Encrypts the messages; None means that they are not encrypted at rest.
        budgets: True if budgets of this account publish to it.
    """
    email = scope.parameter(_notification_email())
    topic = sns.Topic("ProcessingNotificationTopic")
    if key:
        topic.KmsMasterKeyId = key.arn
    operators = Topic.of(scope, topic)
    statements = [
        grants.alarms_may_publish(Ref(topic)),
        grants.refuse_plain_http([awacs.sns.Publish], [Ref(topic)]),
    ]
    if budgets:
        statements.insert(1, grants.budgets_may_publish(Ref(topic)))
    scope.add(
        sns.TopicPolicy(
            "ProcessingNotificationTopicPolicy",
            Topics=[Ref(topic)],
            PolicyDocument=PolicyDocument(Version="2012-10-17", Statement=statements),
        )
    )
    # The one thing here that only an address known at deployment can decide.
    subscription = sns.SubscriptionResource(
        "ProcessingNotificationSubscription", Endpoint=email, Protocol="email", TopicArn=Ref(topic)
    )
    subscription.Condition = scope.condition("HasNotificationEmail", Not(Equals(email, "")))
    if key:
        suppress(subscription, accepted.EMAIL)
    scope.add(subscription)
    scope.output(
        "ProcessingNotificationEmail",
        If(subscription.Condition, email, "no address, because the parameter NotificationEmail is empty"),
        "Who receives the alarms by e-mail, after a confirmation",
    )
    scope.output("ProcessingNotificationTopicName", operators.name, "Name of the topic that every alarm notifies")
    scope.output("ProcessingNotificationTopicArn", operators.arn, "Topic that every alarm notifies")
    return Notifications(operators)


def _notification_email() -> ParameterSpec:
    return ParameterSpec(
        "NotificationEmail",
        NOTIFICATIONS,
        "E-mail address (optional)",
        {
            "Type": "String",
            "Default": "",
            "Description": "E-mail address for alarms; it must confirm the subscription once; empty: no e-mail",
            "AllowedPattern": "^$|^[^@ ]+@[^@ ]+$",
            "ConstraintDescription": "must be an e-mail address, or empty",
        },
    )
