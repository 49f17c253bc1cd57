"""The linker inside a spaCy pipeline."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import spacy
from infact.kg.linking import spacy_component
from spacy.language import Language
from spacy.tokens import Span

IRIS = ["https://example.org/gout", "https://example.org/all", "https://example.org/hand"]


class SmallGraph:
    """What the component reads of a knowledge graph, in memory."""

    names_table = pa.table(
        {
            "entity": [0, 1, 2],
            "name": ["Gout", "All", "Abnormality of the hand"],
            "kind": ["label"] * 3,
        }
    )
    entities_table = pa.table({"deprecated": [False] * 3, "degree": [0] * 3})
    triples = np.empty((0, 3), dtype=np.int32)
    relations = ()
    directory = Path(__file__) / "no folder"  # nothing can be kept there
    literals_table = pa.table(
        {"entity": pa.array([], pa.int32()), "value": pa.array([], pa.string())}
    )

    @classmethod
    def open(cls, directory: Path) -> "SmallGraph":
        assert directory == Path("a/graph")
        return cls()

    def iri(self, entity: int) -> str:
        return IRIS[entity]

    def degree(self, entity: int) -> int:
        return 0


@pytest.fixture
def nlp(monkeypatch: pytest.MonkeyPatch) -> Language:
    monkeypatch.setattr(spacy_component, "KnowledgeGraph", SmallGraph)
    pipeline = spacy.blank("en")
    pipeline.add_pipe("infact_linker", config={"graph": "a/graph"})
    return pipeline


def test_spans_carry_iris(nlp: Language) -> None:
    doc = nlp("All had gout, none a hand abnormality.")
    spans = doc.spans["infact_linker"]
    assert [(span.text, span.kb_id_) for span in spans] == [
        ("gout", IRIS[0]),
        ("hand abnormality", IRIS[2]),
    ]
    assert len(doc.ents) == 0


def test_only_coinciding_entities_get_an_iri(nlp: Language) -> None:
    @Language.component("two_entities")
    def two_entities(doc):  # type: ignore[no-untyped-def]
        doc.ents = [
            Span(doc, 0, 1, label="DISEASE"),
            Span(doc, 2, 4, label="PERSON", kb_id="https://example.org/her"),
        ]
        return doc

    nlp.add_pipe("two_entities", first=True)
    doc = nlp("Gout spared Ann Hand")
    assert [(entity.label_, entity.kb_id_) for entity in doc.ents] == [
        ("DISEASE", IRIS[0]),
        ("PERSON", "https://example.org/her"),
    ]


def test_a_mention_inside_a_token_takes_the_token(nlp: Language) -> None:
    doc = nlp("pseudo_gout here")
    assert [span.text for span in doc.spans["infact_linker"]] == ["pseudo_gout"]


def test_the_graph_must_be_named() -> None:
    with pytest.raises(ValueError, match="graph"):
        spacy.blank("en").add_pipe("infact_linker")
