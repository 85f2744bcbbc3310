"""The pages and the API."""

from __future__ import annotations

import os
from collections.abc import Mapping

from flask import Flask, current_app, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from payroll.accounting import post_entry
from payroll.database import connection
from payroll.errors import Invalid, Unavailable
from payroll.runs import employees, record, runs
from payroll.settings import Settings, settings_from
from payroll.slips import parse_month, slip


def create_app(env: Mapping[str, str] = os.environ) -> Flask:
    app = Flask(__name__)
    app.json.sort_keys = False
    app.config["SETTINGS"] = settings_from(env)
    app.add_url_rule("/health", view_func=health)
    app.add_url_rule("/ready", view_func=ready)
    app.add_url_rule("/", view_func=page)
    app.add_url_rule("/", view_func=submit, methods=["POST"])
    app.add_url_rule("/runs", view_func=list_runs)
    app.add_url_rule("/runs", view_func=create_run, methods=["POST"])
    app.add_template_filter(french_amount)
    app.register_error_handler(Invalid, lambda error: (jsonify(error=str(error)), 422))
    app.register_error_handler(Unavailable, answer_unavailable)
    return app


def settings() -> Settings:
    return current_app.config["SETTINGS"]


def health() -> Response:
    return jsonify(service="payroll", version=settings().version, status="ok")


def ready() -> Response:
    with connection(settings().database_url) as db:
        db.ping()
    return jsonify(service="payroll", version=settings().version, status="ready")


def page() -> str:
    with connection(settings().database_url) as db:
        return render_template("runs.html", settings=settings(), runs=runs(db), employees=employees(db))


def submit() -> Response:
    run_month(parse_month(request.form.get("month")))
    return redirect(url_for("page"), 303)


def list_runs() -> Response:
    with connection(settings().database_url) as db:
        return jsonify(runs=runs(db))


def create_run() -> tuple[Response, int]:
    body = request.get_json(silent=True, force=True)
    month = parse_month(body.get("month") if isinstance(body, dict) else None)
    is_new = run_month(month)
    return jsonify(month=month, new=is_new), 201 if is_new else 200


def run_month(month: str) -> bool:
    """Post first, record last: a run that stops half-way is simply run again."""
    with connection(settings().database_url) as db:
        slips = [slip(employee, month, settings().contribution_rate) for employee in employees(db)]
        for entry in (entry for one in slips for entry in one.entries()):
            post_entry(settings().accounting_url, entry, traceparent=request.headers.get("traceparent"))
        return record(db, month, slips)


def answer_unavailable(error: Unavailable) -> tuple[Response, int, dict[str, str]]:
    current_app.logger.error("%s: %s", error, error.__cause__)
    return jsonify(error=str(error)), 503, {"Retry-After": "5"}


def french_amount(cents: int) -> str:
    return f"{cents / 100:,.2f}".replace(",", " ").replace(".", ",")
