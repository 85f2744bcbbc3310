"""Applications made at random: what our templates and layers make is what a Hesperides generates."""

from __future__ import annotations

from typing import Any

from hypothesis import Phase, assume, example, given, settings
from hypothesis import strategies as st

from ecluse.importers.hesperides.convert import Choice, convert
from ecluse.importers.hesperides.dump import read_dump
from ecluse.wiring.import_check import drafted_files
from tests.hesperides.generate import GoesRound
from tests.hesperides.server import Hesperides, deployed, lists, pairs, template

NAMES = ["a", "b", "c.d", "E-f"]
FIELDS = ["x", "a", "c.d"]
LITERALS = ["", " ", "1", "v w", "${HOME}", "{%", "é\n", "$"]
TAGS = [*(f"{{{{{name}}}}}" for name in NAMES), "{{ a }}", "{{b|@default d}}", "{{b|@default e}}", "{{a|note}}",
        "{{c.d|other @default 5}}", "{{hesperides.platform.name}}", "{{hesperides.instance.name}}", "{{g}}", "{{i}}"]  # fmt: skip
INSIDE = [
    "{{x}}",
    "{{a}}",
    "{{c.d|@default z}}",
    "{{x|@default w}}",
    "{{g}}",
    "-",
    "{{#m}}[{{x}}{{y}}]{{/m}}",
]
TEXTS = ["\n", "k=", "{ ", " }", "{# no #}", " ", "$", "\\"]

inside = st.lists(st.sampled_from(INSIDE), max_size=4).map("".join)
section = inside.map(lambda text: f"{{{{#l}}}}{text}{{{{/l}}}}") | inside.map(
    lambda text: f"\n{{{{#l}}}}\n- {text}.\n{{{{/l}}}}\nend"
)
content = st.lists(st.sampled_from(TAGS + TEXTS) | section, max_size=8).map("".join)
value = st.lists(
    st.sampled_from([*LITERALS, *(f"{{{{{name}}}}}" for name in [*NAMES, "g", "i", "nobody"]), "{{ g }}"]),
    max_size=2,
).map("".join)
simple = st.dictionaries(st.sampled_from([*NAMES, "old"]), value, max_size=4)
item = st.fixed_dictionaries(
    {}, optional={**{name: value for name in FIELDS}, "m": st.lists(st.dictionaries(st.sampled_from(["x", "y"]), value), max_size=2)}
)  # fmt: skip


@settings(max_examples=12, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate])
@given(
    st.lists(content, min_size=1, max_size=2),
    simple,
    st.lists(item, max_size=2),
    st.dictionaries(st.sampled_from([*NAMES, "g"]), value, max_size=3),
    st.dictionaries(st.sampled_from([*NAMES, "i"]), value, max_size=2),
)
@example(["{{a}}"], {"a": "{{b}}"}, [], {"b": "{{b}}"}, {"b": "1"})
def test_any_application_comes_out_the_same(
    contents: list[str], module: dict[str, str], items: list[dict[str, Any]], globals_: dict[str, str],
    instance: dict[str, str],
) -> None:  # fmt: skip
    hesperides = Hesperides()
    templates = [template(f"t{index}", text) for index, text in enumerate(contents)]
    key = hesperides.module("web", *templates)
    place = deployed(key, {**module, "l": items}, **{"web01": instance})
    hesperides.platform("PRD1", place)
    hesperides.platforms["PRD1"]["globals"] = globals_
    platform = hesperides.platforms["PRD1"]
    try:
        theirs = hesperides.files(platform, place["document"], "web01", hidden=False)
    except GoesRound:
        assume(False)
        return
    conversion = convert(
        read_dump(dump(hesperides, platform, templates, key), "dump"), Choice({"PRD1": "prd1"})
    )
    assume(all(made.text is not None for made in conversion.files))
    ours = drafted_files(conversion.draft, ["prd1"])
    for one, _, filename, text in theirs:
        assert ours["prd1", "web", f"/etc/app/{filename}"] == text, one["content"]


def dump(hesperides: Hesperides, platform: Any, templates: list[Any], key: Any) -> dict[str, Any]:
    (path,) = platform["values"]
    values = platform["values"][path]
    return {
        "hesperides": 1,
        "application": hesperides.application,
        "modules": [{"module": key, "templates": templates}],
        "platforms": [
            {
                "platform": platform["document"],
                "globals": {"key_value_properties": pairs(platform["globals"])},
                "properties": {
                    path: {"key_value_properties": pairs(values), "iterable_properties": lists(values)}
                },
            }
        ],
    }
