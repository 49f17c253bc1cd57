"""What every contestant of benchmarks/link.py is given: the names, the texts, and the files that hold them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infact.kg.corpora.gold_entities import AnnotatedDocument
from infact.kg.graph import KnowledgeGraph
from infact.pipeline.linking.evaluate_links import LinkedTo

OBO = "http://purl.obolibrary.org/obo/"
OBO_ROOT = "HP:0000118"  # below which FastHPOCR looks, and nowhere else
SCOPES = {"exact": "EXACT", "narrow": "NARROW", "broad": "BROAD"}
PROSE_DOCUMENTS, PROSE_CHARACTERS = 500, 1200
SHORTEST_LITERAL = 40  # characters; shorter ones are codes and names

Json = dict[str, Any]


@dataclass(frozen=True)
class Field:
    """What every contestant is given."""

    graph: KnowledgeGraph
    target: LinkedTo
    documents: Sequence[AnnotatedDocument]
    names: Mapping[int, Sequence[tuple[str, str]]]  # entity → (name, kind), its label first


def written_job(field: Field, folder: Path) -> Json:
    """The files that contestants read, and where they are."""
    graph = field.graph
    short = {entity: obo_id(graph.iri(entity)) for entity in field.names}
    texts = {
        "names": {graph.iri(e): [name for name, _ in names] for e, names in field.names.items()},
        "gold": [document.text for document in field.documents],
        "prose": list(prose(graph)),
    }
    for name, content in texts.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    obo = "".join(obo_stanza(short[e], field.names[e]) for e in field.names if short[e])
    head = f"format-version: 1.2\nontology: hp\n\n[Term]\nid: {OBO_ROOT}\nname: root\n\n"
    (folder / "names.obo").write_text(head + obo, encoding="utf-8")
    (folder / "thesaurus").write_text(
        "".join(
            f"{short[entity]}\t{name}\n"
            for entity, names in field.names.items()
            for name, _ in names
        ),
        encoding="utf-8",
    )
    return {
        **{name: str(folder / name) for name in (*texts, "thesaurus")},
        "obo": str(folder / "names.obo"),
        "labels": {short[entity]: names[0][0] for entity, names in field.names.items()},
        "graph": str(graph.directory.resolve()),
        "entities": list(field.names),
    }


def prose(graph: KnowledgeGraph) -> Iterator[str]:
    """Documents made of the graph's own texts, each text once."""
    values = dict.fromkeys(graph.literals_table["value"].to_pylist())
    parts: list[str] = []
    made = 0
    for value in values:
        if len(value) >= SHORTEST_LITERAL and " " in value:
            parts.append(value)
        if sum(map(len, parts)) >= PROSE_CHARACTERS:
            yield "\n\n".join(parts)
            parts, made = [], made + 1
            if made == PROSE_DOCUMENTS:
                return
    if parts:
        yield "\n\n".join(parts)


def obo_id(iri: str) -> str:
    """HP:0000118 for …/obo/HP_0000118; empty for other IRIs."""
    prefix, _, local = iri.removeprefix(OBO).partition("_")
    return f"{prefix}:{local}" if iri.startswith(OBO) and local else ""


def obo_stanza(id: str, names: Sequence[tuple[str, str]]) -> str:
    """A term below the root with its names, the first as its label."""
    if id == OBO_ROOT:
        return ""
    (label, _), *others = names
    lines = ["[Term]", f"id: {id}", f"name: {escaped(label)}"]
    lines += [f'synonym: "{escaped(n)}" {SCOPES.get(kind, "RELATED")} []' for n, kind in others]
    return "\n".join([*lines, f"is_a: {OBO_ROOT}"]) + "\n\n"


def escaped(text: str) -> str:
    for character in '\\"{}!':
        text = text.replace(character, f"\\{character}")
    return text
