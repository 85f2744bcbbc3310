"""The web process of {{service}}."""

import os

from flask import Flask, jsonify


def create_app(environ=os.environ):
    """The application; `environ` holds the keys that service.yaml declares."""
    app = Flask(__name__)

    @app.get("/")
    def index():
        return f"{environ['GREETING']}, this is {{service}}.\n", {"Content-Type": "text/plain; charset=utf-8"}

    @app.get("/health")
    def health():
        return jsonify(status="ok", version=environ.get("APP_VERSION"))

    return app
