"""Names out of literals: cleaned, ranked, and one of them the label."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..names import NAME_KINDS, clean_name, language_rank, name_kinds
from .statement_database import StatementDatabase

# A text that `clean_name` leaves as it is: visible ASCII with single blanks between words.
CLEAN = r"^[!-~]+( [!-~]+)*$"
SCHEMA = pa.schema(
    {
        "entity": pa.int32(),
        "name": pa.string(),
        "kind": pa.int32(),
        "language": pa.string(),
        "place": pa.int64(),
    }
)
# The earliest label predicate, then the language, then the text.
LABEL = """
CREATE TABLE label AS
SELECT entity, min({'place': place, 'name': name}).name AS name
FROM naming WHERE place IS NOT NULL GROUP BY entity
"""


def find_names(database: StatementDatabase, label_predicates: Sequence[str]) -> None:
    """Make the tables naming(entity, name, kind, language, place) and label(entity, name).

    `kind` is an index of NAME_KINDS; `place` ranks what may be the label, and is null elsewhere.
    """
    named = database.predicate_numbers(list(name_kinds(label_predicates)))
    rows = _naming_rows(database, named, label_predicates) if named else ()
    database.load("naming", itertools.chain([SCHEMA.empty_table()], rows))
    database.connection.execute(LABEL)


def _naming_rows(
    database: StatementDatabase, named: Sequence[int], label_predicates: Sequence[str]
) -> Iterator[pa.Table]:
    predicates, languages = database.predicates.by_number(), database.languages.by_number()
    kinds = name_kinds(label_predicates)
    kind_of = pa.array(
        [NAME_KINDS.index(kinds.get(iri, "label")) for iri in predicates], pa.int32()
    )
    ranked = sorted(range(len(languages)), key=lambda number: language_rank(languages[number]))
    language_place = np.argsort(ranked)
    first = {iri: place for place, iri in reversed(list(enumerate(label_predicates)))}
    label_place = np.array([first.get(iri, -1) for iri in predicates], np.int64)
    query = f"""SELECT entity, predicate, value, language FROM literal
WHERE predicate IN ({", ".join(map(str, named))})"""
    for batch in database.batches(query):
        entity, predicate, value, language = batch.columns
        names = clean_names(value)
        place = label_place[predicate.to_numpy()]
        ranks = place * len(languages) + language_place[language.to_numpy()]
        rows = pa.table(
            {
                "entity": entity,
                "name": names,
                "kind": kind_of.take(predicate),
                "language": pa.array(languages, pa.string()).take(language),
                "place": pa.array(ranks, mask=place < 0),
            }
        )
        yield rows.filter(pc.not_equal(names, ""))


def clean_names(texts: pa.Array) -> pa.Array:
    """`clean_name` of every text; only those that need it are looked at one by one."""
    clean = pc.match_substring_regex(texts, CLEAN)
    unclean = pc.invert(clean)
    mended = [clean_name(text) for text in texts.filter(unclean).to_pylist()]
    return pc.replace_with_mask(texts, unclean, pa.array(mended, pa.string()))
