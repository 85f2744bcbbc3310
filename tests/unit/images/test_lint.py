import pytest

from ecluse.images.lint import lint_dockerfile

CLEAN = """FROM debian:12-slim AS runtime
RUN apt-get update && apt-get install -y --no-install-recommends php && rm -rf /var/lib/apt/lists/*
ENV LANG=C.UTF-8 PATH=/app/bin:$PATH
FROM runtime AS production
ADD app.tar.gz /app
ADD --checksum=sha256:00 https://example.org/x /x
RUN pip install -r requirements.txt && pip install flask==3.0 ./here && npm ci
"""


def test_a_sound_dockerfile_has_no_warning() -> None:
    assert lint_dockerfile(CLEAN, "Dockerfile") == ()


@pytest.mark.parametrize(
    ("line", "warnings"),
    [
        ("FROM debian", ["base-unpinned"]),
        ("FROM registry.example.fr:5000/house/php", ["base-unpinned"]),
        ("FROM --platform=linux/amd64 node:latest AS front", ["base-unpinned"]),
        ("FROM php@sha256:00", []),
        ("FROM ${BASE}", []),
        ("FROM scratch", []),
        ("ARG ENVIRONMENT", ["environment-value"]),
        ("ENV APP_ENV=prod", ["environment-value"]),
        ("ENV APP_ENV prod", ["environment-value"]),
        ('ENV A=1 MODE="production"', ["environment-value"]),
        ("ENV API_URL=https://api.example.fr", ["environment-value"]),
        ("ENV API_URL=http://accounting:8080", []),
        ("ENV DB_PASSWORD=secret", ["secret"]),
        ("ARG NPM_TOKEN", ["secret"]),
        ("RUN apt-get update && apt-get install -y php", ["apt-lists", "apt-recommends"]),
        ("RUN apt-get -y upgrade", ["apt-upgrade"]),
        ("RUN pip install flask 'requests==2.0'", ["packages-unpinned"]),
        ("RUN npm install", ["packages-unpinned"]),
        ("RUN npm i -g pnpm@9", []),
        ("RUN composer update", ["packages-unpinned"]),
        ("RUN curl -sS https://example.org/install | bash", ["fetched-script"]),
        ("ADD http://example.org/x /x", ["add-remote"]),
    ],
)
def test_each_rule_finds_its_line(line: str, warnings: list[str]) -> None:
    assert sorted(problem.key for problem in lint_dockerfile(line, "Dockerfile")) == warnings


def test_a_warning_says_where_what_and_what_to_do() -> None:
    (problem,) = lint_dockerfile("FROM debian:12-slim\nARG ENVIRONMENT\n", "services/hello/Dockerfile")
    assert str(problem) == (
        "services/hello/Dockerfile:2: environment-value: ARG ENVIRONMENT ties the image to an environment\n"
        "  hint: declare ENVIRONMENT in the config of service.yaml and give its values under config/"
    )
