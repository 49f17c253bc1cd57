from typing import Any

from infact.pipeline.report.explanations import (
    LAYERS_SHOWN,
    explained_facts_table,
    explained_layers_table,
    shown_explanations,
)
from infact.pipeline.report.markdown import render_markdown
from infact.pipeline.report.page import render_page

Json = dict[str, Any]
HOSTILE = "<img src=x onerror=alert(1)>\u202e"


def effect(value: float, shown: bool = True) -> Json:
    return {"effect": value, "low": value - 0.2, "high": value + 0.2, "shown": shown}


def explained() -> list[Json]:
    layers = [
        {
            "layer": number,
            "on_facts": 0.1 * number if arm_reads else None,
            **(effect(-0.5 * number) if arm_reads else dict.fromkeys(effect(0))),
            "skipped": effect(-0.1 * number),
        }
        for arm_reads in (True, False)
        for number in range(1, 8)
    ]
    facts = [
        {"text": f"Marfan syndrome, gene: {HOSTILE}", "attention": 0.25, **effect(-9.6)},
        {"text": "Marfan syndrome, onset: adult", "attention": 0.07, **effect(0.1, shown=False)},
    ]
    reading = [
        {"layer": 3, "on_facts": 0.9, "base_weight": 0.1, **effect(-1.5)},
        {"layer": 6, "on_facts": None, "base_weight": None, **effect(-2.5)},
    ]
    arms = [
        _arm("base + prompt", -0.1, facts, layers[:7]),
        _arm("base", -9.7, [], layers[7:]),
        {**_arm("fused", -0.2, [], layers[7:]), "reading_layers": reading},
    ]
    prompt = "Question: Which gene?\nAnswer:"
    return [{"fact": "M-1", "prompt": prompt, "answer": "FBN1", "interval": "of 4", "arms": arms}]


def _arm(name: str, score: float, facts: list[Json], layers: list[Json]) -> Json:
    kept = {"arm": name, "log_probability": score, "facts": facts, "layers": layers}
    return {**kept, "reading_layers": []}


def test_every_share_of_attention_stands_beside_an_effect_with_its_interval() -> None:
    table = explained_facts_table({"explanations": shown_explanations(explained())})
    assert [row[3:] for row in table.rows] == [
        ("25.0", "−9.60", "−9.80 to −9.40", "yes"),
        ("7.0", "+0.10", "−0.10 to +0.30", "no effect shown"),
    ]
    assert all(len(row) == len(table.head) for row in table.rows)


def test_facts_of_small_effect_are_counted_and_left_out() -> None:
    told = explained()
    many = [{"text": f"fact {n}", "attention": 0.0, **effect(-0.01 * n)} for n in range(9)]
    told[0]["arms"][0]["facts"] += many
    rows = explained_facts_table({"explanations": shown_explanations(told)}).rows
    assert [row[2] for row in rows[2:]] == [
        *(f"fact {n}" for n in (8, 7, 6, 5)),
        "5 more, each of a smaller effect",
    ]


def test_layers_of_the_largest_effect_come_first() -> None:
    table = explained_layers_table({"explanations": shown_explanations(explained())})
    reading = [row for row in table.rows if row[1] == "base + prompt"]
    assert [row[3] for row in reading] == ["7", "6", "5", "4", "3"]
    assert {row[2] for row in reading} == {"attention to the facts blocked"}
    alone = [row for row in table.rows if row[1] == "base"]
    assert len(alone) == LAYERS_SHOWN
    assert {row[2] for row in alone} == {"passed by"}
    assert {row[4] for row in alone} == {"–"}


def test_layers_that_read_a_memory_are_known_by_what_they_read() -> None:
    table = explained_layers_table({"explanations": shown_explanations(explained())})
    fused = [row[2:6] for row in table.rows if row[1] == "fused"]
    assert fused == [
        ("its reading of the memory", "6", "–", "−2.50"),
        ("its reading of the memory", "3", "90.0", "−1.50"),
    ]


def test_page_and_markdown_show_them_and_labels_stay_text(report: Json) -> None:
    told = {**report, "explanations": shown_explanations(explained())}
    page, text = render_page(told), render_markdown(told)
    for document in (page, text):
        assert "−9.80 to −9.40" in document
        assert "<img src=x" not in document
    assert 'id="reasons"' in page
    assert 'id="reasons"' not in render_page({**report, "explanations": []})
