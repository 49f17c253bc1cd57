"""`infact explain` on a small project with a tiny random model, and its page."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import torch
from infact.errors import UserError
from infact.models.base_model import load_causal_model, load_tokenizer
from infact.pipeline.arms import Fusions
from infact.pipeline.console import Console
from infact.pipeline.explanation.explain import explain
from infact.pipeline.explanation.fact import VARIANTS, explain_fact
from infact.pipeline.explanation.page import SHADES, render_explanation
from infact.pipeline.explanation.plot import (
    MOST_FACTS,
    MOST_STEPS,
    effect_plot,
    last_words,
    round_step,
)
from infact.pipeline.explanation.prompt_draws import LEAD_INS
from infact.pipeline.explanation.table import explanation_tables
from infact.pipeline.explanation.words import (
    NOT_SHOWN,
    document_of,
    effect_words,
    nats,
    share,
    times_less_likely,
)
from infact.pipeline.graph_reader import GraphReader
from infact.pipeline.project import Project, load_project
from infact.pipeline.run import existing_artifacts, run_stages
from infact.pipeline.words import NO_BREAK

QUESTION = "What is the capital of Estonia?"
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}{% raw %}",
    "</style><style>*{display:none}</style>",
    "\u202egnp.exe\u2066 \x1b[31mred\x00",
    "[red]markup[/red]",
    "&lt;b&gt;]]>-->",
)

Json = dict[str, Any]


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory, tiny_countries: Callable[[Path], Path]
) -> Project:
    """The countries, trained in a hurry up to the fuse stage."""
    file = tiny_countries(tmp_path_factory.mktemp("explained"))
    text = file.read_text(encoding="utf-8")
    text = re.sub(r"(\[(?:embed|fuse)\][^\[]*?epochs = )\d+", r"\g<1>1", text)
    file.write_text(text, encoding="utf-8")
    return load_project(file)


@pytest.fixture(scope="module")
def unfused(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Json:
    """The explanation before the fuse stage is run."""
    run_stages(project, ["facts", "base"], Console(json_wanted=True))
    out = tmp_path_factory.mktemp("page") / "page.html"
    document = explained(project, "Tallinn", out)
    assert "Tallinn" in out.read_text(encoding="utf-8")
    return document


@pytest.fixture(scope="module")
def document(project: Project, unfused: Json) -> Json:
    run_stages(project, ["fuse"], Console(json_wanted=True))
    return explained(project, "Tallinn", None)


def explained(project: Project, answer: str | None, out: Path | None) -> Json:
    class Kept(Console):
        found: Json

        def result(self, document: object) -> None:
            object.__setattr__(self, "found", document)

    console = Kept(json_wanted=True)
    explain(project, QUESTION, answer, None, out, console)
    return json.loads(json.dumps(console.found, allow_nan=False))


def arm_of(document: Json, name: str) -> Json:
    return next(arm for arm in document["arms"] if arm["arm"] == name)


def test_every_arm_is_explained_with_an_effect_for_each_weight(document: Json) -> None:
    assert {arm["arm"] for arm in document["arms"]} == {"base", "fused", "base + prompt"}
    assert document["absent"] == []
    assert document["variants"] == len(LEAD_INS)
    for arm in document["arms"]:
        assert arm["answer"] == "Tallinn"
        assert [word["text"] for word in arm["words"]] == QUESTION.split()
        for entry in [*arm["words"], *arm["facts"], *(each["skipped"] for each in arm["layers"])]:
            assert entry["low"] <= entry["effect"] <= entry["high"]
            assert entry["shown"] == (entry["low"] >= 0.005 or entry["high"] <= -0.005)
        assert [layer["layer"] for layer in arm["layers"]] == [1, 2]


def test_shares_of_attention_add_up(document: Json) -> None:
    for arm in document["arms"]:
        in_prompt = [fact for fact in arm["facts"] if "by_layer" in fact]
        for number, layer in enumerate(arm["layers"]):
            parts = [layer["on_facts"], layer["on_question"], layer["on_rest"]]
            assert sum(parts) == pytest.approx(1, abs=1e-4)
            assert min(parts) > -1e-6
            facts = sum(fact["by_layer"][number] for fact in in_prompt)
            words = sum(word["by_layer"][number] for word in arm["words"])
            assert facts == pytest.approx(layer["on_facts"], abs=1e-3)
            assert words == pytest.approx(layer["on_question"], abs=1e-3)


def test_only_arms_with_facts_in_the_prompt_have_layers_that_read_them(document: Json) -> None:
    told = arm_of(document, "base + prompt")
    assert any("Estonia" in fact["text"] for fact in told["facts"])
    assert any("countries.ttl" in line for fact in told["facts"] for line in fact["cited"])
    assert all(layer["effect"] is not None for layer in told["layers"])
    assert all(layer["on_facts"] > 0 for layer in told["layers"])
    for name in ("base", "fused"):
        arm = arm_of(document, name)
        assert all(layer["effect"] is None and not layer["on_facts"] for layer in arm["layers"])


def test_the_pointers_weights_and_the_bases_add_up(document: Json) -> None:
    fused = arm_of(document, "fused")
    weights = [fact["attention"] for fact in fused["facts"]]
    assert sum(weights) + fused["base_weight"] == pytest.approx(1, abs=1e-3)
    assert fused["all_facts"]["shown"]
    assert arm_of(document, "base")["all_facts"] is None
    capital = next(fact for fact in fused["facts"] if "Tallinn" in fact["text"])
    assert capital["effect"] == min(fact["effect"] for fact in fused["facts"])
    assert capital["shown"]


def test_without_the_fuse_stage_the_base_is_explained(document: Json, unfused: Json) -> None:
    assert {arm["arm"] for arm in unfused["arms"]} == {"base", "base + prompt"}
    (absent,) = unfused["absent"]
    assert absent["arm"] == "fused"
    assert "hasn't been run" in absent["why"]
    for name in ("base", "base + prompt"):
        effects = [word["effect"] for word in arm_of(document, name)["words"]]
        found = [word["effect"] for word in arm_of(unfused, name)["words"]]
        assert found == pytest.approx(effects, abs=1e-3)


def test_a_fact_of_the_report(project: Project, document: Json) -> None:
    folders = existing_artifacts(project, ("base", "ingest", "facts", "embed", "fuse"))
    model = load_causal_model(folders["base"], torch.float32)
    reader = GraphReader.open(folders["ingest"], folders["facts"])
    fusions = Fusions.of_stages(project, folders, reader, 0)
    prompt = f"Question: {QUESTION}\nAnswer:"
    before = model.config._attn_implementation
    found = explain_fact(model, load_tokenizer(folders["base"]), fusions, prompt, "Tallinn")
    assert model.config._attn_implementation == before
    assert (found["prompt"], found["answer"]) == (prompt, "Tallinn")
    assert f"over {VARIANTS} " in found["interval"]
    json.dumps(found, allow_nan=False)
    for arm in found["arms"]:
        whole = arm_of(document, arm["arm"])
        assert [fact["text"] for fact in arm["facts"]] == [fact["text"] for fact in whole["facts"]]
        for short, long in zip(arm["layers"], whole["layers"], strict=True):
            assert set(short) == set(long)
    assert len(found["arms"]) == 3


def test_mistakes_are_told_before_anything_is_loaded(project: Project, tmp_path: Path) -> None:
    console = Console(json_wanted=True)
    with pytest.raises(UserError, match="nothing to explain"):
        explain(project, "  ", None, None, None, console)
    with pytest.raises(UserError, match="answer is empty"):
        explain(project, QUESTION, " ", None, None, console)
    with pytest.raises(UserError, match="folder doesn't exist"):
        explain(project, QUESTION, None, None, tmp_path / "nowhere" / "page.html", console)


class Page(HTMLParser):
    """All elements, and the text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def hostile(document: Json) -> Json:
    """The same numbers, with hostile words wherever a label stands."""
    changed = json.loads(json.dumps(document))
    for arm in changed["arms"]:
        for number, entry in enumerate([*arm["words"], *arm["facts"]]):
            entry["text"] = HOSTILE[number % len(HOSTILE)]
            if "cited" in entry:
                entry["cited"] = list(HOSTILE)
        arm["answer"] = HOSTILE[0]
    return document_of(HOSTILE[0], HOSTILE[1], changed["arms"], {"fused": HOSTILE[3]})


def test_hostile_labels_stay_text(document: Json) -> None:
    plain, page = Page(render_explanation(document)), Page(render_explanation(hostile(document)))
    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in plain.elements} | {"p"}
    assert len([tag for tag, _ in page.elements if tag == "style"]) == 1
    for _, attributes in page.elements:
        assert not any(name.startswith("on") for name in attributes)
        assert "src" not in attributes
        assert (attributes.get("href") or "#").startswith("#")
    text = " ".join(page.text)
    assert HOSTILE[0] in text
    assert HOSTILE[2] in text
    policies = [found["content"] for tag, found in page.elements if "http-equiv" in found]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    assert "[red]markup[/red]" in explanation_tables(hostile(document))


def test_words_of_the_graph_are_cleaned_before_they_are_kept(document: Json) -> None:
    changed = document_of(HOSTILE[4], "p", document["arms"], {})
    assert changed["text"] == "gnp.exe [31mred"


def test_a_weight_without_a_shown_effect_has_no_shade(document: Json) -> None:
    arm = json.loads(json.dumps(arm_of(document, "base + prompt")))
    for number, entry in enumerate([*arm["words"], *arm["facts"]]):
        entry["shown"] = number % 2 == 0
    page = render_explanation(document_of("q", "p", [arm], {}))
    cells = re.findall(r'<td class="cell s(\d)([^"]*)">', page)
    assert len(cells) == 2 * (len(arm["words"]) + len(arm["facts"]))
    assert {shade for shade, classes in cells if "unshown" in classes} == {"0"}
    assert max(int(shade) for shade, _ in cells) == SHADES
    head = page[page.index('class="measured"') : page.index("<tbody>")]
    pale = sum(not entry["shown"] for entry in [*arm["words"], *arm["facts"]])
    pale += sum(not arm[key]["shown"] for key in ("question", "all_facts"))
    assert head.count(NOT_SHOWN) == pale


def test_the_page_and_the_terminal_have_the_jsons_numbers(document: Json) -> None:
    page, text = render_explanation(document), explanation_tables(document)
    for arm in document["arms"]:
        largest = max(arm["words"], key=lambda word: abs(word["effect"]))
        assert effect_words(largest) in text
        for entry in [*arm["words"], *arm["facts"]]:
            assert f"{nats(entry['low'])} to {nats(entry['high'])}" in page
            assert f">{share(entry['attention'])}<" in page


def reading_in_layers(document: Json, attends: bool) -> Json:
    """The fused arm as if two layers read its memory; the largest weight is of an effect not shown."""
    arm = json.loads(json.dumps(arm_of(document, "fused")))
    for number, fact in enumerate(arm["facts"]):
        weights = [0.1 * number, 0.05 * number]
        fact |= {"by_reading_layer": weights, "effect": -float(number), "low": -99.0, "high": 9.0}
        fact["shown"] = number == 1
        if not attends:
            fact |= {"attention": None, "by_reading_layer": [None, None]}
    of = {"effect": -1.25, "low": -1.5, "high": -1.0, "shown": True}
    null = 0.3 if attends else None
    on = {"on_facts": 0.7 if attends else None, "base_weight": null}
    arm |= {"base_weight": null, "reading_layers": [{"layer": n, **on, **of} for n in (1, 2)]}
    return arm


def test_what_layers_read_in_a_memory_stands_beside_its_effects(document: Json) -> None:
    arm = reading_in_layers(document, attends=True)
    told = document_of("q", "p", [arm], {})
    page, text = render_explanation(told), explanation_tables(told)
    cells = re.findall(r'<td class="cell s(\d)[^"]*">([\d.]+)</td>', page.split("no fact</th>")[0])
    assert [share for _, share in cells[:2]] == ["30.0", "15.0"], "the largest effect comes first"
    assert {share: shade for shade, share in cells if shade != "0"} == {"10.0": "9", "5.0": "4"}
    assert "−1.25 (−1.50 to −1.00)" in page
    assert text.count("reads nothing: −1.25 (−1.50 to −1.00)") == 2
    assert "behind layer 1 most" in text
    assert f"30.0{NO_BREAK}% of the reading layers' attention rests on no fact" in text
    drawn = [row["text"] for row in effect_plot(arm)["rows"]]
    assert drawn[-2:] == ["all facts, at layer 2", "all facts"]


def test_of_many_reading_layers_those_of_the_largest_effects_are_shown(document: Json) -> None:
    arm = reading_in_layers(document, attends=True)
    (first, _), facts = arm["reading_layers"], arm["facts"]
    arm["reading_layers"] = [
        {**first, "layer": n, "effect": -0.1 * n, "low": -9.0, "high": 9.0} for n in range(1, 31)
    ]
    for fact in facts:
        fact["by_reading_layer"] = [0.01 * n for n in range(1, 31)]
    told = document_of("q", "p", [arm], {})
    text, page = explanation_tables(told), render_explanation(told)
    assert re.findall(r"layer (\d+) reads nothing", text) == ["27", "28", "29", "30"]
    assert "and 26 more layers" in text
    drawn = [row["layer"] for row in effect_plot(arm)["rows"] if "layer" in row]
    assert drawn == [25, 26, 27, 28, 29, 30]
    assert all(f">layer {number}</th>" in page for number in range(1, 31))


def test_a_memory_that_is_read_without_attention_shows_effects_alone(document: Json) -> None:
    told = document_of("q", "p", [reading_in_layers(document, attends=False)], {})
    page, text = render_explanation(told), explanation_tables(told)
    assert "None" not in page + text
    assert "rests on no fact" not in page + text
    assert text.count("reads nothing: −1.25 (−1.50 to −1.00)") == 2
    assert "−3.00" in text or NOT_SHOWN in text


def test_the_plot_keeps_values_in_order_on_a_round_axis(document: Json) -> None:
    for arm in document["arms"]:
        plot = effect_plot(arm)
        for row in plot["rows"]:
            assert plot["left"] <= row["x_low"] <= row["x"] <= row["x_high"] <= plot["right"]
            assert (row["x"] < plot["zero"]) == (row["effect"] < -0.02) or abs(row["effect"]) < 0.5
        assert len(plot["ticks"]) <= MOST_STEPS + 3
    many = {**arm, "facts": [{**arm["facts"][0], "effect": -float(n)} for n in range(40)]}
    many["facts"] = [{**fact, "low": -50.0, "high": 50.0} for fact in many["facts"]]
    plot = effect_plot(many)
    drawn = [row["effect"] for row in plot["rows"] if row["kind"] == "fact"]
    assert drawn == [-float(number) for number in range(40 - MOST_FACTS, 40)]
    assert plot["left_out"] == 40 - MOST_FACTS
    assert last_words("Marfan syndrome, phenotype: Esotropia", 24) == "… phenotype: Esotropia"
    assert last_words("x" * 50, 10) == "…" + "x" * 8
    assert [round_step(reach) for reach in (0.0, 3.1, 11.9, 60.0)] == [1.0, 1.0, 2.0, 10.0]


def test_words() -> None:
    assert nats(-3.204) == "−3.20"
    assert nats(0.001) == "0.00"
    assert share(0.0321) == "3.2"
    assert share(0.0001) == "<0.1"
    assert times_less_likely(-0.5) == "1.6 times less likely"
    assert times_less_likely(-9.55) == "14,000 times less likely"
    assert times_less_likely(-40) == "over a million times less likely"
    nothing = {"effect": 0.1, "low": -0.2, "high": 0.4, "shown": False}
    assert effect_words(nothing) == "no effect shown (−0.20 to +0.40)"
    assert effect_words({"effect": None}) == "–"
