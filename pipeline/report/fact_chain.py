"""The chain behind a fact: its triple, where that was read, what was written from it and shown."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ...kg.questions.facts import fact_id
from ...kg.questions.pools import REVERSED, TAUGHT
from ..words import clean_text

SHOWN_SENTENCES = 4

Json = dict[str, Any]


@dataclass(frozen=True)
class ChainSources:
    """What chains are made from.

    Args:
        facts: facts.parquet of the facts stage.
        sentences: sentences.parquet of the facts stage.
        exposures: exposures.json of the pretrain stage: how often each fact was shown.
        entities: entities.parquet of the graph; row number = entity.
    """

    facts: pa.Table
    sentences: pa.Table | None = None
    exposures: Mapping[str, int] = field(default_factory=dict)
    entities: pa.Table | None = None


def fact_chains(sources: ChainSources, wanted: Collection[str]) -> dict[str, Json]:
    """The chain of each wanted fact.

    A fact of pool R, asked from the object's side, is told by the sentences of the taught fact that
    it turns round; so `sentences` and `shown` are those of the fact with the same triple.
    """
    chosen = pc.is_in(sources.facts["fact"], value_set=pa.array(sorted(wanted), pa.string()))
    rows = sources.facts.filter(chosen).to_pylist()
    triples = {row["fact"]: _triple(row, sources.entities) for row in rows}
    told = {row["fact"]: _told_as(row["fact"], triples[row["fact"]]) for row in rows}
    texts = _texts(sources.sentences, set(told.values()))
    return {
        row["fact"]: {
            "triple": _clean(triples[row["fact"]]),
            "told_before": _told_before(row),
            "source": clean_text(row["source"] or ""),
            "line": row["line"],
            "sentences": texts[told[row["fact"]]][:SHOWN_SENTENCES],
            "sentence_count": len(texts[told[row["fact"]]]),
            "shown": sources.exposures.get(told[row["fact"]]),
        }
        for row in rows
    }


def _triple(fact: Json, entities: pa.Table | None) -> Json | None:
    """IRIs of the asked triple as the graph tells it; None where no graph is behind the fact."""
    subject, predicate = fact.get("subject_iri"), fact.get("predicate_iri")
    if not subject or not predicate:
        return None
    options = fact.get("option_entities") or []
    asked = options[fact["correct"]] if options else -1
    answer = entities["iri"][asked].as_py() if entities is not None and asked >= 0 else ""
    if fact["pool"] == REVERSED:
        subject, answer = answer, subject
    return {"subject": subject, "predicate": predicate, "object": answer}


def _told_before(row: Json) -> str | None:
    """Pools S and D: the object that the graph told before it was edited."""
    place = row.get("before")
    return None if place is None or place < 0 else clean_text(row["options"][place])


def _told_as(fact: str, triple: Json | None) -> str:
    if triple is None or not fact.startswith(f"{REVERSED}-"):
        return fact
    return fact_id(TAUGHT, triple["subject"], triple["predicate"])


def _texts(sentences: pa.Table | None, facts: Collection[str]) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = defaultdict(list)
    if sentences is not None:
        wanted = pc.is_in(sentences["fact"], value_set=pa.array(sorted(facts), pa.string()))
        for row in sentences.filter(wanted).to_pylist():
            texts[row["fact"]].append(clean_text(row["text"]))
    return texts


def _clean(triple: Json | None) -> Json | None:
    return None if triple is None else {key: clean_text(iri) for key, iri in triple.items()}
