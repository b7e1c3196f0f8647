"""Who asks a database, as its connection and secret say it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from local.engines.crawl_jdbc import JdbcError, Login

CONNECTION = {"JDBC_CONNECTION_URL": "jdbc:mysql://db:3306/shop?password=hidden", "SECRET_ID": "lake/shop"}


def login(secret: str) -> Login:
    return Login.of(CONNECTION, SimpleNamespace(get_secret_value=lambda SecretId: {"SecretString": secret}))


def test_a_login_shows_no_password() -> None:
    found = login('{"username": "reader", "password": "hidden"}')
    assert (found.user, found.password, found.engine) == ("reader", "hidden", "mysql")
    assert "hidden" not in found.place
    assert "'hidden'" not in repr(found)


@pytest.mark.parametrize("secret", ["hidden", "[]", '{"user": "hidden"}', '{"username": "hidden", "password": null}'])
def test_a_secret_without_user_and_password_is_a_sentence(secret: str) -> None:
    with pytest.raises(JdbcError, match="The secret 'lake/shop': expected a JSON object with username and") as caught:
        login(secret)
    assert "hidden" not in str(caught.value)
