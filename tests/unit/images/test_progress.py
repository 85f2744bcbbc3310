from ecluse.images.dockerfile import read_instructions
from ecluse.images.progress import BuildLog, clean, hint_for

DOCKERFILE = read_instructions("FROM debian:12-slim AS test\nENV A=1\nRUN echo one && \\\n    exit 3\n")
FAILED = """#1 [internal] load build definition from Dockerfile
#1 sha256:dab4ad64cf32caa3384c379b92ed0b7b095b39c8fc288deb77c92b7c4ec63766
#1 transferring dockerfile: 192B done
#1 DONE 0.0s

#6 [test 1/1] RUN echo one &&     exit 3
#6 sha256:32280f8e06559e9e44cef1e0b628b87c398448096903a69c4f8ad316ffac6f96
#6 0.048 one
#6 ERROR: executor failed running [/bin/sh -c echo one &&     exit 3]: exit code: 3
------
 > [test 1/1] RUN echo one &&     exit 3:
------
executor failed running [/bin/sh -c echo one &&     exit 3]: exit code: 3"""
NEWER = """#6 [test 2/2] RUN echo one &&     exit 3
#6 0.048 one
#6 ERROR: process "/bin/sh -c echo one &&     exit 3" did not complete successfully: exit code: 3
------
 > [test 2/2] RUN echo one &&     exit 3:
0.048 one
------
Dockerfile:3
--------------------
   3 | >>> RUN echo one && \\
   4 | >>>     exit 3
--------------------
ERROR: failed to solve: process "/bin/sh -c echo one" did not complete successfully: exit code: 3"""
UNKNOWN_TARGET = (
    "failed to solve with frontend dockerfile.v0: failed to create LLB definition: "
    "target stage nope could not be found"
)


def _read(text: str) -> tuple[list[str], tuple[str, ...]]:
    log = BuildLog()
    shown = [line for raw in text.splitlines() if (line := log.feed(raw)) is not None]
    return shown, log.cause(DOCKERFILE, "Dockerfile")


def test_people_see_steps_and_output_and_no_machinery() -> None:
    assert _read(FAILED)[0] == ["[test 1/1] RUN echo one &&     exit 3", "one"]


def test_the_cause_names_the_line_of_the_dockerfile_and_the_last_lines() -> None:
    expected = ("Dockerfile:3: RUN echo one &&     exit 3", "  | one", "exit code: 3")
    assert _read(FAILED)[1] == expected
    assert _read(NEWER)[1] == expected


def test_a_parse_error_names_its_line() -> None:
    text = "failed to solve with frontend dockerfile.v0: failed to create LLB definition: "
    text += "dockerfile parse error line 2: unknown instruction: RUNN"
    assert _read(text)[1] == ("Dockerfile:2", "dockerfile parse error line 2: unknown instruction: RUNN")


def test_an_unknown_target_is_said_plainly_and_has_a_hint() -> None:
    (cause,) = _read(UNKNOWN_TARGET)[1]
    assert cause == "target stage nope could not be found"
    assert hint_for(cause) == "name a stage of the Dockerfile in image.target and image.tests.target"


def test_colours_and_overwritten_text_are_gone() -> None:
    assert clean("10%\r50%\r\x1b[32mdone\x1b[0m\r") == "done"
