"""Lake Formation, as the plan says it: tags, registered locations, and each grant a resource of its own.

The account's settings are left alone: CloudFormation's resource for them replaces other administrators and defaults.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from aws_cdk import CfnResource, aws_lakeformation as lakeformation
from constructs import Construct, IConstruct

from config import Environment
from datalake.access import on_our_behalf, role
from datalake.grants import LakeGrants
from lake.governance import GRANTS
from lake.parts import GOVERNED
from lake.rights import NamedGrant, Plan, Tag, TagGrant

Permissions = lakeformation.CfnPrincipalPermissions


class LakeFormation(Construct):
    """What of the plan does not grow with datasets; the apply job does the rest."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        lake: LakeGrants,
        plan: Plan,
        principals: IConstruct,
    ) -> None:
        super().__init__(scope, construct_id)
        self._environment = environment
        # One after the other: Lake Formation refuses changes of one principal's grants that come at once.
        made = [*self._tags(plan), *self._locations(lake), *self._database_tags(plan), *self._grants(plan)]
        made[0].node.add_dependency(principals)  # it refuses one that is not there
        for earlier, later in pairwise(made):
            later.add_resource_dependency(earlier)

    def _tags(self, plan: Plan) -> Iterator[CfnResource]:
        for tag in plan.tags:
            yield lakeformation.CfnTag(
                self,
                f"Tag-{self._short(tag.key)}",
                catalog_id=self._environment.account,
                tag_key=tag.key,
                tag_values=list(tag.values),
            )

    def _locations(self, lake: LakeGrants) -> Iterator[CfnResource]:
        # Only for this account: "Cross-service confused deputy prevention" in Lake Formation's guide has both keys.
        registrar = role(
            self,
            "Registrar",
            name=self._environment.resource("lake-formation"),
            description="With this Lake Formation reads the layers for those whom it lets see them",
            principal=on_our_behalf("lakeformation", self._environment, arn=lake.arn("lakeformation", "*")),
            grants=[*lake.read_objects(*GOVERNED), lake.read_encrypted()],
        )
        for layer in GOVERNED:
            yield lakeformation.CfnResource(
                self,
                f"Location-{layer}",
                resource_arn=f"arn:aws:s3:::{self._environment.bucket(layer)}",
                role_arn=registrar.role_arn,
                use_service_linked_role=False,
                hybrid_access_enabled=self._environment.governance == "hybrid",
            )

    def _database_tags(self, plan: Plan) -> Iterator[CfnResource]:
        """One for each tag, since a change replaces it."""
        for database in plan.databases:
            for tag in database.tags:
                yield lakeformation.CfnTagAssociation(
                    self,
                    f"Tagged-{database.layer}-{self._short(tag.key)}",
                    lf_tags=[
                        lakeformation.CfnTagAssociation.LFTagPairProperty(
                            catalog_id=self._environment.account, tag_key=tag.key, tag_values=list(tag.values)
                        )
                    ],
                    resource=lakeformation.CfnTagAssociation.ResourceProperty(
                        database=lakeformation.CfnTagAssociation.DatabaseResourceProperty(
                            catalog_id=self._environment.account, name=database.database
                        )
                    ),
                )

    def _grants(self, plan: Plan) -> Iterator[CfnResource]:
        for named in plan.named_grants:
            yield self._grant(
                f"Job-{named.job}-{self._layer(named.resource)}-{named.kind.title()}",
                named.principal,
                named.permission,
                self._named(named),
                grantable=named.grantable,
            )
        for tag in plan.tags:
            apply = next(each.principal for each in plan.named_grants if each.job == GRANTS)
            yield self._grant(
                f"Job-{GRANTS}-Tag-{self._short(tag.key)}", apply, "ASSOCIATE", self._lf_tag(tag), grantable=False
            )
        for granted in plan.tag_grants:
            name = f"Role-{granted.role}-{granted.kind.title()}-{granted.permission.title()}"
            yield self._grant(name, granted.principal, granted.permission, self._by_tags(granted), grantable=False)

    def _grant(
        self,
        construct_id: str,
        principal: str,
        permission: str,
        resource: Permissions.ResourceProperty,
        *,
        grantable: bool,
    ) -> CfnResource:
        """One permission: a change makes the new grant first and then revokes the old, so the two may not overlap."""
        return Permissions(
            self,
            construct_id,
            catalog=self._environment.account,
            principal=Permissions.DataLakePrincipalProperty(data_lake_principal_identifier=principal),
            permissions=[permission],
            permissions_with_grant_option=[permission] if grantable else [],
            resource=resource,
        )

    def _named(self, grant: NamedGrant) -> Permissions.ResourceProperty:
        account = self._environment.account
        if grant.kind == "DATABASE":
            database = Permissions.DatabaseResourceProperty(catalog_id=account, name=grant.resource)
            return Permissions.ResourceProperty(database=database)
        if grant.kind == "TABLE":
            table = Permissions.TableResourceProperty(
                catalog_id=account, database_name=grant.resource, table_wildcard={}
            )
            return Permissions.ResourceProperty(table=table)
        location = Permissions.DataLocationResourceProperty(
            catalog_id=account, resource_arn=f"arn:aws:s3:::{grant.resource}"
        )
        return Permissions.ResourceProperty(data_location=location)

    def _lf_tag(self, tag: Tag) -> Permissions.ResourceProperty:
        key = Permissions.LFTagKeyResourceProperty(
            catalog_id=self._environment.account, tag_key=tag.key, tag_values=list(tag.values)
        )
        return Permissions.ResourceProperty(lf_tag=key)

    def _by_tags(self, grant: TagGrant) -> Permissions.ResourceProperty:
        policy = Permissions.LFTagPolicyResourceProperty(
            catalog_id=self._environment.account,
            resource_type=grant.kind,
            expression=_expression(grant.expression),
        )
        return Permissions.ResourceProperty(lf_tag_policy=policy)

    def _short(self, key: str) -> str:
        return key.removeprefix(self._environment.resource(""))

    def _layer(self, resource: str) -> str:
        names = {self._environment.database(each): each for each in GOVERNED}
        return {**names, **{self._environment.bucket(each): each for each in GOVERNED}}[resource]


def _expression(tags: Sequence[Tag]) -> list[Permissions.LFTagProperty]:
    return [Permissions.LFTagProperty(tag_key=each.key, tag_values=list(each.values)) for each in tags]
