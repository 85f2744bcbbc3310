from typing import Any

from ecluse.images.releases import content_digest, release_of


def _image(**config: Any) -> dict[str, Any]:
    labels = {
        "ecluse.product": "comptoir", "ecluse.service": "hello", "ecluse.version": "1.4",
        "ecluse.commit": "", "ecluse.dirty": "false", "ecluse.inputs": "ab",
        "ecluse.created": "2026-07-01T12:30:00+00:00",
    }  # fmt: skip
    return {
        "Id": "sha256:1", "RepoTags": ["registry.example.fr:5000/comptoir/hello:1.4"],
        "Os": "linux", "Architecture": "amd64",
        "Config": {"Labels": labels, "Cmd": ["run"], **config}, "RootFS": {"Layers": ["sha256:a"]},
    }  # fmt: skip


def test_an_image_with_labels_and_their_tag_is_a_release() -> None:
    release = release_of(_image(WorkingDir="/app"))
    assert release is not None
    assert (release.service, release.version, release.commit, release.workdir) == (
        "hello",
        "1.4",
        None,
        "/app",
    )


def test_an_image_built_upon_a_release_is_none() -> None:
    assert release_of({**_image(), "RepoTags": ["somebody/debug:latest"]}) is None
    assert release_of({**_image(), "RepoTags": []}) is None


def test_content_ignores_labels_and_what_an_engine_leaves_empty() -> None:
    plain = content_digest(_image())
    assert content_digest(_image(Labels={"other": "1"}, Env=None, User="", Image="sha256:9")) == plain


def test_content_sees_what_a_container_would_see() -> None:
    plain = content_digest(_image())
    assert content_digest(_image(User="33:33")) != plain
    assert content_digest({**_image(), "RootFS": {"Layers": ["sha256:b"]}}) != plain
