"""The linker as a spaCy pipeline component: `nlp.add_pipe("infact_linker", config={"graph": …})`.

The one file of infact that imports spaCy when it is imported; `corpora/docbin.py` does when it writes.
"""

from collections.abc import Callable
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc, Span

from ..graph import KnowledgeGraph
from .linker import graph_linker

SPANS_KEY = "infact_linker"
SPAN_LABEL = "ENTITY"


@Language.factory("infact_linker", assigns=["doc.spans"])
def create_infact_linker(nlp: Language, name: str, graph: str) -> Callable[[Doc], Doc]:
    """Build the component.

    Args:
        nlp: the pipeline; not looked at, since infact cuts words itself.
        name: the component's name in the pipeline; not looked at.
        graph: a graph directory, as `infact ingest` writes it.

    Returns:
        a function that sets `doc.spans["infact_linker"]` to the linked mentions, whose `kb_id_` is
        the entity's IRI and whose `id_` is empty. A mention inside a token takes the whole token.
        Where an entity in `doc.ents` covers the same tokens, its `kb_id_` is set as well.
    """
    knowledge = KnowledgeGraph.open(Path(graph))
    linker = graph_linker(knowledge)

    def link(doc: Doc) -> Doc:
        spans = [
            linked_span(doc, mention.start, mention.end, knowledge.iri(mention.entity))
            for mention in linker.link(doc.text)
            if mention.entity is not None
        ]
        doc.spans[SPANS_KEY] = spans
        _set_entity_iris(doc, spans)
        return doc

    return link


def linked_span(doc: Doc, start: int, end: int, iri: str) -> Span:
    """The span of the tokens that these characters, which lie in the text, are in; linked to the IRI."""
    span = doc.char_span(start, end, label=SPAN_LABEL, kb_id=iri, alignment_mode="expand")
    assert span is not None  # expanding fails only outside the text
    return span


def _set_entity_iris(doc: Doc, spans: list[Span]) -> None:
    """Give the IRI of a mention to the entity that covers the same tokens."""
    iris = {(span.start, span.end): span.kb_id_ for span in spans}
    if not any((entity.start, entity.end) in iris for entity in doc.ents):
        return
    doc.ents = [
        Span(
            doc,
            entity.start,
            entity.end,
            label=entity.label,
            kb_id=iris.get((entity.start, entity.end), entity.kb_id_),
            span_id=entity.id,
        )
        for entity in doc.ents
    ]
