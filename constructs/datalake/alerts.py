"""Who hears when something is wrong: an encrypted topic, its subscribers, and who may publish to it."""

from __future__ import annotations

from aws_cdk import aws_iam as iam, aws_kms as kms, aws_sns as sns
from constructs import Construct

from config import Environment


class AlertTopic(Construct):
    """Topic `headwater-ENV-alerts`; each address of the environment confirms its subscription once."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, key: kms.IKey) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(
            self,
            "Topic",
            topic_name=environment.resource("alerts"),
            display_name=f"{environment.project} {environment.name}",
            master_key=key,
            enforce_ssl=True,
        )
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="OurAlarmsAndBudgets",
                principals=[iam.ServicePrincipal(f"{service}.amazonaws.com") for service in ("budgets", "cloudwatch")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": environment.account}},
            )
        )
        for address in environment.alert_emails:
            sns.Subscription(self, address, topic=self.topic, protocol=sns.SubscriptionProtocol.EMAIL, endpoint=address)
