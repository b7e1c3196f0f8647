"""A function of the lake: its handler in lambdas/, its own role and its own log group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aws_cdk import Duration, aws_iam as iam, aws_kms as kms, aws_lambda as lambda_, aws_sqs as sqs
from constructs import Construct

from config import Environment
from datalake.access import Grant, role
from datalake.code import RuntimeCode
from datalake.grants import LakeGrants
from datalake.logs import log_group
from datalake.nag import acknowledge


class LakeFunction(Construct):
    """`lambdas.NAME.handler.handle`, deployed as `headwater-ENV-NAME`; what it cannot handle goes to `dead_letters`.

    Where many functions share one handler, `handler` names its package in lambdas/ and `variables` tell them apart.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        description: str,
        environment: Environment,
        code: RuntimeCode,
        key: kms.IKey,
        grants: Sequence[Grant],
        dead_letters: sqs.IQueue | None = None,
        handler: str | None = None,
        layers: Sequence[lambda_.ILayerVersion] = (),
        variables: Mapping[str, str] | None = None,
        memory: int = 256,
        traced: bool = False,
    ) -> None:
        super().__init__(scope, construct_id)
        function_name = environment.resource(name)
        lake = LakeGrants(environment, key_arn=key.key_arn)
        group = f"/aws/lambda/{function_name}"
        own = [lake.write_logs(group), lake.use_key()]
        if dead_letters is not None:
            own.append(Grant(["sqs:SendMessage"], [dead_letters.queue_arn]))
        if traced:
            own.append(lake.write_traces())
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=function_name,
            description=description,
            runtime=lambda_.Runtime.PYTHON_3_12,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"lambdas.{handler or name}.handler.handle",
            code=code.for_functions,
            layers=list(layers),
            environment=dict(variables or {}),
            memory_size=memory,
            timeout=Duration.minutes(2),
            log_group=log_group(self, "Logs", name=group, environment=environment, key=key),
            dead_letter_queue=dead_letters,
            tracing=lambda_.Tracing.ACTIVE if traced else None,
            role=role(
                self,
                "Role",
                name=f"{function_name}-function",
                description=f"What function {function_name} may do",
                principal=iam.ServicePrincipal("lambda.amazonaws.com"),
                grants=[*own, *grants],
            ),
        )
        acknowledge(
            self.function,
            {"L1": "Handlers run on Python 3.11 on the laptop; 3.12 is the nearest that AWS will long support."},
        )
