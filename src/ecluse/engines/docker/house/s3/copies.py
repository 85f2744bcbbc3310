"""The data of the store for `backing.py` outside: makes buckets, copies an account as a tar, brings it back, counts.

Talks to the servers behind the proxy, as the store itself: no key is needed, and nothing is refused. A tar has a
folder for each bucket, and what is said of an object in its `ECLUSE.headers`.
"""

import io
import json
import os
import sys
import tarfile

from swift.common.internal_client import InternalClient

STORE = "/srv/node/store"
KNOWN = os.path.join(STORE, ".accounts")
SEGMENTS = "+segments"
# what one object may hold at most in one piece is 5 GiB
SEGMENT_BYTES = int(os.environ.get("ECLUSE_SEGMENT_BYTES", 1 << 30))
HEADERS = ("content-type", "content-encoding", "content-disposition", "content-language", "cache-control", "expires")
# the mark of an object that came in parts, as its client knows it
MARKS = ("x-object-sysmeta-s3api-etag", "x-object-sysmeta-container-update-override-etag")


def main(words):
    client = InternalClient("/etc/swift/internal.conf", "ecluse", 3)
    account = "AUTH_" + words[1] if len(words) > 1 else ""
    actions = {"give": give, "list": show, "dump": dump, "load": load, "count": count, "up": up}
    actions[words[0]](client, account)


def give(client, _):
    """Reads `access key, bucket` lines."""
    known = set(accounts())
    for line in sys.stdin:
        name, bucket = line.split()
        known.add(name)
        client.create_container("AUTH_" + name, bucket)
    with open(KNOWN + ".new", "w") as stream:
        json.dump(sorted(known), stream)
    os.replace(KNOWN + ".new", KNOWN)


def show(client, _):
    print("\n".join(accounts()))


def up(client, _):
    client.get_account_info("AUTH_.up", acceptable_statuses=(2, 404))


def accounts():
    try:
        with open(KNOWN) as stream:
            return json.load(stream)
    except FileNotFoundError:
        return []


def buckets(client, account):
    return [item["name"] for item in client.iter_containers(account) if not item["name"].endswith(SEGMENTS)]


def objects(client, account, bucket):
    return (item["name"] for item in client.iter_objects(account, bucket))


def count(client, account):
    print(sum(1 for bucket in buckets(client, account) for _ in objects(client, account, bucket)))


def dump(client, account):
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        for bucket in buckets(client, account):
            folder = tarfile.TarInfo(bucket)
            folder.type = tarfile.DIRTYPE
            tar.addfile(folder)
            for name in objects(client, account, bucket):
                add(client, account, bucket, name, tar)


def add(client, account, bucket, name, tar):
    status, headers, body = client.get_object(account, bucket, name, acceptable_statuses=(2, 404))
    # removed since the list was made
    if status == 404:
        return
    entry = tarfile.TarInfo("%s/%s" % (bucket, name))
    entry.size = int(headers["content-length"])
    kept = {key: value for key, value in headers.items() if is_kept(key.lower())}
    entry.pax_headers = {"ECLUSE.headers": json.dumps(kept)}
    tar.addfile(entry, Pieces(body))


def is_kept(key):
    return key in HEADERS or key in MARKS or key.startswith("x-object-meta-")


class Pieces(io.RawIOBase):
    """What comes in pieces, as a file."""

    def __init__(self, pieces):
        self._pieces = iter(pieces)
        self._left = b""

    def readable(self):
        return True

    def read(self, size=-1):
        while size < 0 or len(self._left) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._left += piece
        size = len(self._left) if size < 0 else size
        given, self._left = self._left[:size], self._left[size:]
        return given


def load(client, account):
    """Replaces all buckets of the account by those of the tar: what is not in it goes last."""
    seen = {}
    with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as tar:
        for entry in tar:
            bucket, _, name = entry.name.partition("/")
            if bucket not in seen:
                client.create_container(account, bucket)
            seen.setdefault(bucket, set())
            if entry.isreg():
                seen[bucket].add(name)
                put(client, account, bucket, name, tar.extractfile(entry), entry)
    for bucket in buckets(client, account):
        for name in list(objects(client, account, bucket)):
            if name not in seen.get(bucket, ()):
                remove(client, account, bucket, name)
        if bucket not in seen:
            # 409: a client wrote into it just now
            client.delete_container(account, bucket, acceptable_statuses=(2, 404, 409))


def put(client, account, bucket, name, stream, entry):
    headers = json.loads(entry.pax_headers.get("ECLUSE.headers", "{}"))
    if entry.size <= SEGMENT_BYTES:
        headers["Content-Length"] = str(entry.size)
        client.upload_object(Piece(stream, entry.size), account, bucket, name, headers=headers)
        return
    segments = bucket + SEGMENTS
    client.create_container(account, segments)
    parts = []
    left = entry.size
    while left:
        size = min(left, SEGMENT_BYTES)
        part = "%s/restored/%08d" % (name, len(parts))
        piece = {"Content-Length": str(size)}
        client.upload_object(Piece(stream, size), account, segments, part, headers=piece)
        parts.append({"path": "/%s/%s" % (segments, part), "size_bytes": size})
        left -= size
    manifest = json.dumps(parts).encode()
    headers["Content-Length"] = str(len(manifest))
    path = client.make_path(account, bucket, name)
    client.make_request("PUT", path, headers, (2,), io.BytesIO(manifest), params={"multipart-manifest": "put"})


class Piece:
    """The next bytes of a stream, as a stream of its own."""

    def __init__(self, stream, size):
        self._stream = stream
        self._left = size

    def read(self, size=-1):
        wanted = self._left if size < 0 else min(size, self._left)
        data = self._stream.read(wanted)
        self._left -= len(data)
        return data


def remove(client, account, bucket, name):
    status, headers, _ = client.get_object(account, bucket, name, acceptable_statuses=(2, 404))
    if status != 404 and "x-static-large-object" in {key.lower() for key in headers}:
        # its parts too
        path = client.make_path(account, bucket, name)
        client.make_request("DELETE", path, {}, (2, 404), params={"multipart-manifest": "delete"})
    client.delete_object(account, bucket, name, acceptable_statuses=(2, 404))


if __name__ == "__main__":
    main(sys.argv[1:])
