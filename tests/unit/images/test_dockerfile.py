from ecluse.images.dockerfile import Instruction, base_of, outer_bases, read_instructions, stage_name

TEXT = r"""# syntax=docker/dockerfile:1

FROM debian:12-slim AS Runtime
run apt-get update \
    # why not
    && apt-get install -y php \

    && true
RUN <<EOF
echo one
EOF
COPY . .
"""


def test_instructions_keep_their_line_and_lose_their_continuations() -> None:
    assert read_instructions(TEXT) == (
        Instruction(3, "FROM", "debian:12-slim AS Runtime"),
        Instruction(4, "RUN", "apt-get update && apt-get install -y php && true"),
        Instruction(9, "RUN", "<<EOF echo one"),
        Instruction(12, "COPY", ". ."),
    )


def test_the_escape_character_can_be_another() -> None:
    assert read_instructions("# escape=`\nRUN a `\n  b\n") == (Instruction(2, "RUN", "a b"),)


def test_a_stage_has_the_name_that_from_gives_it() -> None:
    from_with, _, _, without = *read_instructions(TEXT)[:3], Instruction(1, "FROM", "debian:12-slim")
    assert (stage_name(from_with), stage_name(without)) == ("runtime", None)


def test_outer_bases_are_images_and_no_stages() -> None:
    text = "FROM --platform=linux/amd64 debian:12-slim AS a\nFROM A AS b\nFROM scratch\nFROM php:8.2\n"
    assert [base_of(one) for one in outer_bases(read_instructions(text))] == ["debian:12-slim", "php:8.2"]
