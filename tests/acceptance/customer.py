"""A customer of the example product, over HTTP through the edge."""

from __future__ import annotations

import http.client
import json
import re
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit


class Customer:
    """Keeps cookies and follows redirections, as a browser does; connects by address with the right Host."""

    def __init__(self, domain: str, port: int) -> None:
        self._domain = domain
        self._port = port
        self._cookies: dict[str, str] = {}

    def get(self, service: str, path: str) -> tuple[int, str]:
        return self._ask(service, "GET", path, None, {})

    def send(self, service: str, path: str, form: dict[str, str]) -> tuple[int, str]:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask(service, "POST", path, urlencode(form), headers)

    def post(self, service: str, path: str, value: object) -> tuple[int, Any]:
        status, body = self._ask(
            service, "POST", path, json.dumps(value), {"Content-Type": "application/json"}
        )
        return status, json.loads(body)

    def read(self, service: str, path: str) -> Any:
        status, body = self.get(service, path)
        assert status == 200, f"{service}{path} answers {status}: {body[:300]}"
        return json.loads(body)

    def _ask(
        self, service: str, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> tuple[int, str]:
        host = f"{service}.{self._domain}:{self._port}"
        for _ in range(6):
            status, text, location = self._exchange(host, method, path, body, headers)
            if status not in (301, 302, 303) or not location:
                return status, text
            target = urlsplit(location)
            host, path = (
                target.netloc or host,
                (target.path or "/") + (f"?{target.query}" if target.query else ""),
            )
            method, body, headers = "GET", None, {}
        raise AssertionError(f"{host}{path} redirects without end")

    def _exchange(
        self, host: str, method: str, path: str, body: str | None, headers: dict[str, str]
    ) -> tuple[int, str, str | None]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        connection.request(method, path, body, {"Host": host, "Cookie": cookies, **headers})
        answer = connection.getresponse()
        text = answer.read().decode()
        for line in answer.headers.get_all("Set-Cookie") or []:
            self._cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        connection.close()
        return answer.status, text, answer.headers.get("Location")


def morning(domain: str, port: int, password: str, net: str) -> None:
    """Logs in, adds a customer, makes an invoice, finds it in accounting, runs the payroll."""
    customer = Customer(domain, port)
    status, page = customer.send("legacy", "/login.php", {"name": "demo", "password": password})
    assert status == 200, page[:300]
    assert "Bonjour demo" in page
    name = f"Maison {net.replace(',', ' ')}"
    status, page = customer.send(
        "legacy", "/customers.php", {"name": name, "email": "compta@fictive.example", "city": "Conflans"}
    )
    assert name in page
    status, page = customer.send(
        "invoicing", "/", {"customer": name, "email": "compta@fictive.example", "net": net}
    )
    assert status == 200, page[:300]
    assert re.search(r"F-\d{6}", page)
    assert name in json.dumps(customer.read("accounting", "/entries"), ensure_ascii=False)
    status, run = customer.post("payroll", "/runs", {"month": "2026-01"})
    assert status in (200, 201), run
    assert customer.get("admin", "/api/accounting/balance")[0] == 200
