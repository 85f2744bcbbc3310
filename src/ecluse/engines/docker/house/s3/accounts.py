"""Filters of Swift's proxy: who may enter by the S3 interface, and what newer clients send that it does not know.

The file of accounts is JSON: access key → the secret keys that it has. It is read again when it changes. Each access
key has an account of its own, so that the buckets of one are not there for another.
"""

import base64
import hashlib
import io
import json
import os
import threading

from swift.common.swob import HTTPForbidden, Request

MOST_BYTES = 2 << 20


class Accounts:
    def __init__(self, app, path):
        self.app = app
        self._path = path
        self._lock = threading.Lock()
        self._mark = None
        self._keys = {}

    def __call__(self, env, start_response):
        # a request that Swift makes to itself while it answers one that was let in
        if env.get("swift.authorize_override"):
            return self.app(env, start_response)
        details = env.get("s3api.auth_details")
        key = details["access_key"] if details else None
        if not key or not any(details["check_signature"](secret) for secret in self._secrets(key)):
            return HTTPForbidden(request=Request(env))(env, start_response)
        version, account, *rest = env["PATH_INFO"].lstrip("/").split("/", 2)
        if account == key:
            env["PATH_INFO"] = "/" + "/".join([version, "AUTH_" + key, *rest])
        env["REMOTE_USER"] = key
        env["swift.authorize"] = lambda request: None
        env["swift_owner"] = True
        return self.app(env, start_response)

    def _secrets(self, key):
        with self._lock:
            try:
                status = os.stat(self._path)
                # whoever writes it may set its time of modification, and not this one
                mark = (status.st_ctime_ns, status.st_ino, status.st_size)
                if mark != self._mark:
                    with open(self._path) as stream:
                        self._keys, self._mark = json.load(stream), mark
            except (OSError, ValueError):
                # it is being written: those that were there before may enter
                pass
            return self._keys.get(key, ())


class Checksums:
    """Newer clients send another checksum with a list of objects to delete than the one that is asked for here."""

    def __init__(self, app):
        self.app = app

    def __call__(self, env, start_response):
        is_list = env["REQUEST_METHOD"] == "POST" and "delete" in env.get("QUERY_STRING", "").split("&")
        is_signed_so = env.get("HTTP_AUTHORIZATION", "").startswith("AWS4-")
        if is_list and is_signed_so and "HTTP_CONTENT_MD5" not in env:
            length = int(env.get("CONTENT_LENGTH") or 0)
            if length <= MOST_BYTES:
                body = env["wsgi.input"].read(length)
                env["wsgi.input"] = io.BytesIO(body)
                env["HTTP_CONTENT_MD5"] = base64.b64encode(hashlib.md5(body).digest()).decode()
        return self.app(env, start_response)


def accounts(global_conf, **local_conf):
    return lambda app: Accounts(app, local_conf["path"])


def checksums(global_conf, **local_conf):
    return Checksums
