"""`api`: where the API of a source takes events, and how to call it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.errors import CommandError
from cli.target import EnvOption, JsonOption
from config.stream import STAGE

if TYPE_CHECKING:
    from cli.target import Target

EXAMPLE = '[{"event_id": "an-id-of-yours"}]'
SourceArgument = Annotated[str, typer.Argument(help="SOURCE of a stream such as clinic; all of them, when left out.")]
KeyOption = Annotated[bool, typer.Option("--show-key", help="The API key too, which is a secret.")]


def api(
    source: SourceArgument = "", env: EnvOption = "local", show_key: KeyOption = False, json: JsonOption = False
) -> None:
    """The URL of each API and who may call it, with a command that posts an event."""
    from cli.console import print_json, progress
    from cli.target import target

    found = list(described(target(env), source, show_key=show_key or env == "local"))
    if json:
        print_json(found)
        return
    for each in found:
        progress.print(
            f"{each['source']} takes events at {each['url']}; callers prove themselves by {each['auth']}.",
            soft_wrap=True,
        )
        print(f"{call(each)} -H 'Content-Type: application/json' -d '{EXAMPLE}' {each['url']}")


def described(target: Target, source: str, *, show_key: bool) -> Iterator[dict[str, Any]]:
    """One entry for each path that takes events."""
    auth = {dataset.partition(".")[0]: stream.auth for dataset, stream in target.environment.streams.items()}
    if source and source not in auth:
        expected = f"expected a source with a stream, one of {', '.join(sorted(auth))}"
        raise CommandError(f"The source '{source}': {expected}. Name one, or add a stream to the environment.")
    gateway = target.client("apigateway")
    apis = {each["name"]: each["id"] for each in gateway.get_rest_apis(limit=500)["items"]}
    for name in [source] if source else sorted(auth):
        deployed = target.environment.resource(name)
        if deployed not in apis:
            raise CommandError(f"The API '{deployed}': expected one that is deployed. Run `./headwater deploy`.")
        key = _key(gateway, deployed) if auth[name] == "api_key" and show_key else None
        for resource in gateway.get_resources(restApiId=apis[deployed], limit=500)["items"]:
            if "POST" in resource.get("resourceMethods", {}):
                url = f"{_base(target, apis[deployed])}{resource['path']}"
                yield {"source": name, "url": url, "auth": auth[name], "key": key, "region": target.environment.region}


def call(described: dict[str, Any]) -> str:
    """How curl proves who calls."""
    if described["auth"] == "iam":
        user = '"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"'
        return f"curl --aws-sigv4 aws:amz:{described['region']}:execute-api --user {user}"
    return f"curl -H 'x-api-key: {described['key'] or 'YOUR-KEY'}'"


def _base(target: Target, api: str) -> str:
    if target.endpoint_url is not None:
        return f"{target.endpoint_url}/restapis/{api}/{STAGE}/_user_request_"
    return f"https://{api}.execute-api.{target.environment.region}.amazonaws.com/{STAGE}"


def _key(gateway: Any, name: str) -> str | None:
    keys = gateway.get_api_keys(nameQuery=name, includeValues=True, limit=500)["items"]
    return next((str(each["value"]) for each in keys if each["name"] == name), None)
