"""`infact link --gold` on a small graph: what it prints, writes, and refuses."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from infact.errors import UserError
from infact.kg.graph import KnowledgeGraph
from infact.kg.ingest import ingest
from infact.kg.prefixes import Prefixes
from infact.kg.readers.sources import Source
from infact.pipeline.chosen_graph import ChosenGraph
from infact.pipeline.console import Console
from infact.pipeline.linking.evaluate_links import LinksToEvaluate, evaluate_links

TTL = """@prefix e: <http://e.org/> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix oio: <http://www.geneontology.org/formats/oboInOwl#> .
e:thing rdfs:label "thing" .
e:finding rdfs:label "finding" ; rdfs:subClassOf e:thing .
e:organ rdfs:label "organ" ; rdfs:subClassOf e:thing .
e:big rdfs:label "enlarged organ" ; rdfs:subClassOf e:finding .
e:spleen rdfs:label "enlarged spleen" ; skos:altLabel "splenomegaly" ; rdfs:subClassOf e:big ;
  oio:hasAlternativeId "e:old" .
e:liver rdfs:label "<b>enlarged liver</b>" ; skos:altLabel "hepatomegaly" ; rdfs:subClassOf e:big .
e:milt rdfs:label "milt" ; rdfs:subClassOf e:organ .
"""
GOLD = """1
Splenomegaly and hepatomegaly; the milt was large.
0	12	Splenomegaly	e:old
17	29	hepatomegaly	e:liver
35	39	milt	e:milt

2
An enlarged spleen, swollen liver, no splenomegaly.
3	18	enlarged spleen	e:spleen
20	33	swollen liver	e:liver
38	50	splenomegaly	e:big
"""


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> ChosenGraph:
    folder = tmp_path_factory.mktemp("evaluated")
    (folder / "a.ttl").write_text(TTL, encoding="utf-8")
    ingest([Source(folder / "a.ttl", "a.ttl")], folder / "graph")
    graph = KnowledgeGraph.open(folder / "graph")
    return ChosenGraph(graph, Prefixes({"e": "http://e.org/"}))


def evaluated(chosen, tmp_path, capsys, gold=GOLD, json_wanted=True, **more):
    path = tmp_path / "gold.tsv"
    path.write_text(gold, encoding="utf-8")
    evaluate_links(LinksToEvaluate(chosen, path, **more), Console(json_wanted))
    printed = capsys.readouterr().out
    return json.loads(printed) if json_wanted else printed


def test_what_is_found_is_measured(chosen, tmp_path, capsys):
    found = evaluated(chosen, tmp_path, capsys)
    assert (found["document_count"], found["gold_mentions"], found["linked"]) == (2, 6, 5)
    mentions = found["mentions"]
    assert (mentions["precision"], mentions["recall"]) == (4 / 5, 4 / 6)
    assert mentions["f1"] == pytest.approx(8 / 11)
    # {spleen, liver, milt}; {spleen} of {spleen, liver, big}: big is no link of its own
    assert found["documents"]["recall"] == 4 / 6
    # with ancestors: + finding, big, organ; + finding, big: all of gold but liver
    assert found["hierarchical"]["recall"] == (6 + 3) / (6 + 4)
    assert found["hierarchical"]["precision"] == 1
    assert found["slices"]["recall"]["unseen synonym"]["n"] == 2
    assert found["all"]["mentions"] == mentions
    assert found["longest"]["linked"] == 5
    low, high = mentions["f1_interval"]
    assert 0 <= low <= mentions["f1"] <= high <= 1
    assert found["documents_per_second"] > 0
    assert found["index_seconds"] >= 0


def test_below_a_root_only_its_own_count(chosen, tmp_path, capsys):
    found = evaluated(chosen, tmp_path, capsys, root="e:finding")
    assert (found["gold_mentions"], found["gold_outside_root"], found["linked"]) == (5, 1, 4)
    assert found["outside_root"] == [{"iri": "http://e.org/milt", "label": "milt"}]
    assert found["entities"] == 4
    # finding itself is above everything now
    assert found["hierarchical"]["gold"] == len({"spleen", "big", "liver"}) * 2
    by_iri = evaluated(chosen, tmp_path, capsys, root="http://e.org/finding")
    assert by_iri["mentions"] == found["mentions"]


def test_errors_and_thresholds_are_written_when_asked_for(chosen, tmp_path, capsys):
    errors = tmp_path / "errors.tsv"
    found = evaluated(chosen, tmp_path, capsys, errors=errors, sweep=True)
    rows = [line.split("\t")[:5] for line in errors.read_text(encoding="utf-8").splitlines()[1:]]
    assert rows == [
        ["miss", "2", "20", "33", "swollen liver"],
        ["wrong entity", "2", "38", "50", "splenomegaly"],
    ]
    thresholds = found["all"]["sweep"]
    assert thresholds[0]["linked"] == 5
    assert [each["score"] for each in thresholds] == sorted(each["score"] for each in thresholds)
    assert evaluated(chosen, tmp_path, capsys)["all"]["sweep"] is None


GOLDEN = """\
2 documents, 5 gold mentions; linked to 4 entities below finding
not counted, as outside what lies below the root: 1 gold mention (milt)
index ready in # s; # documents a second (all), # documents a second (longest)

way      measure       right is                                           precision               recall                   F1  gold  linked  right
all      mentions      exact span and entity                    0.750 (0.500–1.000)  0.600 (0.333–1.000)  0.667 (0.400–1.000)     5       4      3
all      overlaps      overlapping span and entity              0.750 (0.500–1.000)  0.600 (0.333–1.000)  0.667 (0.400–1.000)     5       4      3
all      documents     entities of a text                       1.000 (1.000–1.000)  0.600 (0.333–1.000)  0.750 (0.500–1.000)     5       3      3
all      hierarchical  entities of a text with their ancestors  1.000 (1.000–1.000)  0.833 (0.667–1.000)  0.909 (0.800–1.000)     6       5      5
longest  mentions      exact span and entity                    0.750 (0.500–1.000)  0.600 (0.333–1.000)  0.667 (0.400–1.000)     5       4      3
longest  overlaps      overlapping span and entity              0.750 (0.500–1.000)  0.600 (0.333–1.000)  0.667 (0.400–1.000)     5       4      3
longest  documents     entities of a text                       1.000 (1.000–1.000)  0.600 (0.333–1.000)  0.750 (0.500–1.000)     5       3      3
longest  hierarchical  entities of a text with their ancestors  1.000 (1.000–1.000)  0.833 (0.667–1.000)  0.909 (0.800–1.000)     6       5      5
"""


def test_the_terminal_shows_the_same(chosen, tmp_path, capsys):
    printed = evaluated(chosen, tmp_path, capsys, json_wanted=False, root="e:finding", sweep=True)
    timeless = re.sub(r"[\d.,]+ (s;|documents a second)", r"# \1", printed)
    assert timeless.startswith(GOLDEN)
    assert "unseen synonym  is no name of its entity" in printed
    assert "expected calibration error (longest)" in printed
    assert "development documents only" in printed
    assert "2,000 draws, seed 0" in printed


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_the_page_holds_the_plots_and_asks_nobody(chosen, tmp_path, capsys):
    page = tmp_path / "page.html"
    gold = GOLD.replace("milt	e:milt", "milt	e:liver").replace("e:old", "e:milt")
    evaluated(chosen, tmp_path, capsys, gold, page=page, sweep=True)
    html = page.read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(html)
    names = [tag for tag, _ in tags.found]
    assert names.count("svg") == 4  # two ways, two plots each
    assert names.count("circle") >= 4
    assert not {"script", "link", "img", "iframe", "b"} & set(names)
    assert not any(
        key.startswith("on") or key in ("src", "href") for _, a in tags.found for key in a
    )
    policy = next(a["content"] for tag, a in tags.found if tag == "meta" and "http-equiv" in a)
    assert policy.startswith("default-src 'none'")
    assert "development documents only" in html


def test_foreign_words_stay_words_on_the_page(chosen, tmp_path, capsys):
    page = tmp_path / "page.html"
    # The label of e:liver is markup, and stands among those outside the root.
    gold = GOLD.replace("e:liver", "e:milt").replace(
        "35	39	milt	e:milt", "35	39	milt	e:liver"
    )
    evaluated(chosen, tmp_path, capsys, gold, page=page, root="e:organ")
    html = page.read_text(encoding="utf-8")
    assert "&lt;b&gt;enlarged liver" in html
    assert "<b>" not in html


def refused(chosen, tmp_path, gold=GOLD, **more):
    path = tmp_path / "gold.tsv"
    path.write_text(gold, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        evaluate_links(LinksToEvaluate(chosen, path, **more), Console())
    return caught.value


def test_faults_of_offsets_and_identifiers_are_told_together(chosen, tmp_path):
    gold = GOLD.replace("e:liver", "e:lever").replace("0	12	S", "1	12	S")
    error = refused(chosen, tmp_path, gold)
    assert error.what == "3 lines are faulty"
    places = re.findall(r"gold\.tsv:(\d+)", error.where)
    assert places == ["3", "4", "10"]
    assert "no entity 'e:lever'" in error.where
    assert error.fix.startswith("Offsets count")
    assert refused(chosen, tmp_path, GOLD.replace("e:old", "e:ald")).fix.startswith("An identifier")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"root": "e:nothing"}, "no entity 'e:nothing'"),
        ({"root": "e:milt"}, "nothing lies below milt"),
        ({"root": "e:finding", "hierarchy": "e:above"}, "has the predicate"),
        ({"root": "e:big", "gold": "1\nthe milt\n4\t8\tmilt\te:milt\n"}, "none of the 1 gold"),
        ({"gold": "1\nthe milt\n4\t8\tmilt\t-\n"}, "no gold mention has an identifier"),
    ],
)
def test_what_leaves_nothing_to_evaluate_is_refused(chosen, tmp_path, changes, words):
    assert words in refused(chosen, tmp_path, **changes).what


@pytest.mark.parametrize("option", ["errors", "page"])
def test_what_cannot_be_written_is_told_before_anything_is_done(chosen, tmp_path, option):
    gold = "1\nnot yet looked at\n0\t99\tx\te:milt\n"
    for path in (tmp_path, tmp_path / "absent" / "file"):
        error = refused(chosen, tmp_path, gold, **{option: path})
        assert error.where == f"--{option} {path}"
    assert refused(chosen, tmp_path, gold).where.endswith("gold.tsv:3")


def test_nothing_linked_is_told_in_dashes(chosen, tmp_path, capsys):
    gold = "1\nnothing here\n0\t7\tnothing\te:milt\n\n2\nnor here\n"
    page = tmp_path / "page.html"
    printed = evaluated(chosen, tmp_path, capsys, gold, json_wanted=False, sweep=True, page=page)
    assert re.search(r"all +mentions .* – +0.000", printed)
    assert "calibration" not in printed
    assert "Nothing was linked." in page.read_text(encoding="utf-8")
    found = evaluated(chosen, tmp_path, capsys, gold, sweep=True)
    assert found["mentions"]["precision"] is None
    assert (found["ece"], found["all"]["sweep"], found["linked"]) == (None, [], 0)


def test_no_torch_is_loaded():
    code = (
        "import sys, infact.pipeline.linking.evaluate_links; "
        "sys.exit(any(name in sys.modules for name in ('torch', 'transformers', 'spacy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=Path("/"), check=False).returncode == 0
