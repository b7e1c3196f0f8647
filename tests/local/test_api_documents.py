"""An API's document is what its last deployment was made of, and one that cannot be served is refused."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

import datalake.api
from tests.local.conftest import RunningEndpoint
from tests.local.event_api import deployed, settings

ONE = '[{"event_id":"one"}]'


def test_a_changed_document_is_served_after_the_next_deploy(
    endpoint: RunningEndpoint, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path_factory.mktemp("changed")
    stream = settings("iam", shards=1)
    api = deployed(endpoint, folder / "before", name="changing", changing=stream)["changing"]
    assert api.post(ONE).status == 207
    text = (datalake.api.FOLDER / "clinic.openapi.yaml").read_text()
    (folder / "clinic.openapi.yaml").write_text(text.replace("/immunizations:", "/doses:"))
    monkeypatch.setattr(datalake.api, "FOLDER", folder)
    assert deployed(endpoint, folder / "after", name="changing", changing=stream)["changing"].id == api.id
    assert api.post(ONE).status == 403
    moved = api.path.replace("immunizations", "doses")
    assert api.send(ONE.encode(), api.signed(ONE.encode(), "application/json", path=moved), path=moved).status == 207


def test_a_document_that_cannot_be_served_is_refused_in_words(endpoint: RunningEndpoint) -> None:
    gateway = endpoint.client("apigateway")
    api = gateway.create_rest_api(name="refused")["id"]
    text = (datalake.api.FOLDER / "clinic.openapi.yaml").read_text().replace("${Auth}", "iam")
    for old, new, told in (
        ("type: aws\n", "type: mock\n", "expected type aws"),
        ("maxLength: 256", "pattern: a+", "The keyword 'pattern' of a model"),
        ("$events.size()", "$events.copy()", "The method 'copy' of a mapping template"),
    ):
        with pytest.raises(ClientError, match=told):
            gateway.put_rest_api(restApiId=api, mode="overwrite", body=text.replace(old, new).encode())
