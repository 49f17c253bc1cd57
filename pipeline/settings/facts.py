"""What is taught and asked, and the finding of entities in texts."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from .table import Amount, Count, Table


class PredicateTable(Table):
    """Phrasings of one predicate; {subject} and {object} stand for labels."""

    iri: str
    label: str | None = None
    train_questions: tuple[str, ...] = ()
    test_questions: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    reverse_questions: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _placeholders(self) -> Self:
        for phrasing in (*self.train_questions, *self.test_questions):
            if "{subject}" not in phrasing:
                raise ValueError(f"the question {phrasing!r} lacks {{subject}}")
        for phrasing in self.reverse_questions:
            if "{object}" not in phrasing:
                raise ValueError(f"the reverse question {phrasing!r} lacks {{object}}")
        for phrasing in self.statements:
            if "{subject}" not in phrasing or "{object}" not in phrasing:
                raise ValueError(f"the statement {phrasing!r} needs {{subject}} and {{object}}")
        shared = set(self.train_questions) & set(self.test_questions)
        if shared:
            raise ValueError(f"{sorted(shared)[0]!r} is both a training and a test question")
        return self


class FactsTable(Table):
    options: Annotated[int, Field(ge=2)] = 10
    """answers to choose from in each question"""
    taught: Amount = 240
    """pool T: facts in the training text"""
    in_memory: Amount = 240
    """pool M: facts in the graph, of entities never trained on"""
    inferable: Amount = 120
    """pool I: facts hidden from text and memory"""
    practice: Amount = 800
    """pool P: facts that only train the fusion mechanism, never asked"""
    max_objects: Count = 8
    """a (subject, predicate) with more objects isn't asked"""
    reversed: Amount = 80
    """pool R: taught facts asked from the object's side"""
    two_hop: Amount = 80
    """pool H: facts in memory whose subject is described by another of its facts"""
    edited: Amount = 80
    """pools S and D: facts in memory asked with another object in the graph, and deleted from it"""
    general: tuple[str, ...] = ("package:infact/data/general/facts.jsonl",)
    """pool U: general facts that must survive"""
    general_text: str = "package:infact/data/general/text.txt"
    """general sentences, for perplexity"""
    predicate: tuple[PredicateTable, ...] = ()


class LinkTable(Table):
    text_predicates: tuple[str, ...] = (
        "IAO:0000115",
        "rdfs:comment",
        "skos:definition",
        "dcterms:description",
        "schema:description",
    )
    """literals of these predicates are read as text"""
    max_documents: Count | None = None
    """link at most so many; leave out for all"""
