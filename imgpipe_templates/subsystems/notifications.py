"""Notifications: the one topic that operators listen to."""

from __future__ import annotations

import awacs.sns
from awacs.aws import PolicyDocument
from troposphere import Equals, Not, Ref, sns

from imgpipe_templates import grants
from imgpipe_templates.core.handles import Topic
from imgpipe_templates.core.parameters import NOTIFICATIONS, ParameterSpec
from imgpipe_templates.core.records import record
from imgpipe_templates.core.stack import Scope


@record
class Notifications:
    """What notifications offers: the topic that every alarm tells."""

    operators: Topic


def add_notifications(scope: Scope) -> Notifications:
    """Add the topic, who may publish to it, and the subscription of the address given at deployment."""
    email = scope.parameter(_notification_email())
    topic = sns.Topic("ProcessingNotificationTopic")
    operators = Topic.of(scope, topic)
    statements = [
        grants.alarms_may_publish(Ref(topic)),
        grants.refuse_plain_http([awacs.sns.Publish], [Ref(topic)]),
    ]
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
    scope.add(subscription)
    scope.output("ProcessingNotificationTopicArn", operators.arn, "Topic that every alarm tells")
    return Notifications(operators)


def _notification_email() -> ParameterSpec:
    return ParameterSpec(
        "NotificationEmail",
        NOTIFICATIONS,
        "E-mail address (optional)",
        {
            "Type": "String",
            "Default": "",
            "Description": "Address that alarms are mailed to; it has to confirm once; empty means nobody is mailed",
            "AllowedPattern": "^$|^[^@ ]+@[^@ ]+$",
            "ConstraintDescription": "must be an e-mail address, or empty",
        },
    )
