"""What the service answers while its database is away."""

import pytest

from payroll.web import create_app, french_amount

ENV = {
    "APP_VERSION": "3.0.0",
    "DATABASE_URL": "mysql://u:p@127.0.0.1:9/payroll",
    "ACCOUNTING_URL": "http://127.0.0.1:9",
    "COMPANY_NAME": "Comptoir",
    "HOME_URL": "http://legacy.test.localhost",
    "CURRENCY": "EUR",
    "CONTRIBUTION_RATE": "42",
}


@pytest.fixture
def client():
    return create_app(ENV).test_client()


def test_health_answers_without_a_database(client):
    assert client.get("/health").json == {"service": "payroll", "version": "3.0.0", "status": "ok"}


@pytest.mark.parametrize("path", ["/ready", "/", "/runs"])
def test_a_database_that_is_away_is_a_503(client, path):
    answer = client.get(path)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"


def test_a_run_without_a_month_is_refused(client):
    assert client.post("/runs", json={"month": "2026-00"}).status_code == 422
    assert client.post("/runs", data="janvier").status_code == 422


def test_a_missing_key_is_named():
    with pytest.raises(LookupError, match="ACCOUNTING_URL is not set"):
        create_app({**ENV, "ACCOUNTING_URL": ""})


def test_an_amount_is_written_the_french_way():
    assert french_amount(123456789) == "1 234 567,89"
