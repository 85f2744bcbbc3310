"""`ecluse trust`: the authority behind local certificates, and how to trust it."""

from __future__ import annotations

from pathlib import Path

import click

from ecluse.cli.invocation import Invocation
from ecluse.cli.output import show

FILE = "ecluse.crt"
WAYS = (
    ("Debian and Ubuntu: curl, git, PHP, Python’s ssl", (
        "sudo install -m 0644 {path} /usr/local/share/ca-certificates/" + FILE,
        "sudo update-ca-certificates",
    )),
    ("Chromium on Linux, per user (package libnss3-tools)", (
        "sudo cat {path} > /tmp/" + FILE,
        'certutil -d "sql:$HOME/.pki/nssdb" -A -t C,, -n ecluse -i /tmp/' + FILE,
    )),
    ("Firefox on Linux, per profile (package libnss3-tools)", (
        "sudo cat {path} > /tmp/" + FILE,
        'for profile in "$HOME"/.mozilla/firefox/*/cert9.db; do '
        'certutil -d "sql:$(dirname "$profile")" -A -t C,, -n ecluse -i /tmp/' + FILE + "; done",
    )),
    ("macOS, with the file copied there", (
        "sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain " + FILE,
    )),
    ("One program, and nothing else", (
        "curl --cacert " + FILE + " https://HOST/",
        "SSL_CERT_FILE=" + FILE + " PROGRAM          # OpenSSL, PHP, Python’s ssl",
        "REQUESTS_CA_BUNDLE=" + FILE + " PROGRAM     # Python’s requests",
        "NODE_EXTRA_CA_CERTS=" + FILE + " PROGRAM    # Node.js",
    )),
)  # fmt: skip


@click.command()
@click.option("--print", "text_only", is_flag=True, help="Print the certificate itself (PEM), no more.")
@click.pass_obj
def trust(invocation: Invocation, *, text_only: bool) -> None:
    """Says where the certificate of this machine's authority is, and how each system comes to trust it."""
    from ecluse.wiring.trust import find_authority

    found = find_authority(invocation.settings)
    if text_only:
        show(found.text.strip())
        return
    show(f"authority: {found.path}")
    show(f"valid until {found.expires:%Y-%m-%d}; `ecluse trust --print > {FILE}` copies it")
    for line in ways(found.path):
        show(line)


def ways(path: Path) -> list[str]:
    """Per system, the commands that trust the certificate at `path`."""
    lines = []
    for system, commands in WAYS:
        lines += ["", f"{system}:", *(f"  {command.replace('{path}', str(path))}" for command in commands)]
    return lines
