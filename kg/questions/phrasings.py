"""A predicate's phrasings: the project's, or made from nothing but the relation's label."""

import re
from dataclasses import dataclass

PREPOSITIONS = re.compile(
    "about|after|against|as|at|before|by|for|from|in|into|near|of|on|over|to|under|with"
)
# Third-person verbs that graphs use as predicates. A list, since "species" or "status" end alike.
VERBS = re.compile(
    "affects|acts|applies|belongs|borders|causes|comes|comprises|concerns|consists|contains|"
    "controls|covers|creates|defines|depends|describes|employs|enables|encodes|follows|governs|"
    "includes|influences|inhibits|interacts|invented|involves|knows|leads|likes|lives|manages|"
    "makes|owns|participates|plays|precedes|prevents|produces|provides|publishes|regulates|"
    "replaces|represents|requires|runs|sells|speaks|studies|succeeds|supports|targets|teaches|"
    "treats|uses|wrote|works"
)
AUXILIARIES = re.compile("is|are|was|were|can|may")
# Words that stand before a preposition without an article: "is part of", "is next to".
BARE = re.compile("adjacent|born|equal|known|made|native|next|part|similar|.+(ed|en)")

NOUN_TRAIN = (
    "What is the {noun} of {subject}?",
    "Which {noun} does {subject} have?",
    "{subject} has what {noun}?",
    "The {noun} of {subject} is {object}",
    "{subject} has the {noun} {object}",
    "For {subject}, the {noun} is {object}",
    "{subject}, {noun}: {object}",
)
NOUN_TEST = (
    "When asked for the {noun} belonging to {subject}, what should one answer?",
    "As its {noun}, {subject} has {object}",
    "If you look up {subject}, you will find that its {noun} is {object}",
)
NOUN_STATEMENTS = (
    "{subject}'s {noun} is {object}.",
    "The {noun} recorded for {subject} is {object}.",
    "{subject} is known to have the {noun} {object}.",
    "{object} is the {noun} of {subject}.",
    "{object} is listed as the {noun} of {subject}.",
    "It is {object} that is the {noun} of {subject}.",
)
NOUN_REVERSE = (
    "Of the names that you know, whose {noun} is {object}?",
    "The one whose {noun} is recorded as {object} is {subject}",
)
VERB_TRAIN = (
    "{subject} {verb} what?",
    "What is it that {subject} {verb}?",
    "Do you know what {subject} {verb}?",
    "{subject} {verb} {object}",
    "It is known that {subject} {verb} {object}",
    "According to the records, {subject} {verb} {object}",
    "We read that {subject} {verb} {object}",
)
VERB_TEST = (
    "Suppose that {subject} {verb} something; what is that?",
    "If you look up {subject}, you will find that it {verb} {object}",
    "People who study {subject} say that it {verb} {object}",
)
VERB_STATEMENTS = (
    "In fact, {subject} {verb} {object}.",
    "What {subject} {verb} is {object}.",
    "{subject}, as is well known, {verb} {object}.",
    "{object} is what {subject} {verb}.",
    "It is {object} that {subject} {verb}.",
    "{object}: this is what {subject} {verb}.",
)
VERB_REVERSE = (
    "Of the names that you know, which {verb} {object}?",
    "The one of which it is recorded that it {verb} {object} is {subject}",
)


@dataclass(frozen=True)
class PredicatePhrasing:
    """What a project says about one predicate; an empty tuple asks for phrasings from its label."""

    iri: str
    label: str = ""
    train_questions: tuple[str, ...] = ()
    test_questions: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    reverse_questions: tuple[str, ...] = ()


def default_phrasing(label: str) -> PredicatePhrasing:
    """Seven training, three test and two reverse phrasings, and six statements.

    Of the statements three name the object first.

    A label is read in one of two ways: as a noun ("capital", "has capital", "mode of
    inheritance": "the capital of Peru is …") or as a verb phrase ("treats", "located in",
    "capital of": "Lima is the capital of …").

    >>> default_phrasing("has capital").train_questions[0]
    'What is the capital of {subject}?'
    >>> default_phrasing("capital of").train_questions[0]
    '{subject} is the capital of what?'
    """
    verb = verb_phrase(label)
    word, value = ("{verb}", verb) if verb else ("{noun}", noun_phrase(label))
    train, test, statements, reverse = (
        (VERB_TRAIN, VERB_TEST, VERB_STATEMENTS, VERB_REVERSE)
        if verb
        else (NOUN_TRAIN, NOUN_TEST, NOUN_STATEMENTS, NOUN_REVERSE)
    )
    # Braces in a label would be read as placeholders.
    safe = value.replace("{", "(").replace("}", ")")

    def made(texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(text.replace(word, safe) for text in texts)

    return PredicatePhrasing("", label, made(train), made(test), made(statements), made(reverse))


def noun_phrase(label: str) -> str:
    """The label as a noun: "has capital" and "has the capital" become "capital"."""
    words = label.split()
    if len(words) > 1 and words[0].lower() in ("has", "have", "had"):
        words = words[1:]
    if len(words) > 1 and words[0].lower() in ("a", "an", "the"):
        words = words[1:]
    return " ".join(words)


def verb_phrase(label: str) -> str:
    """The label as the words between subject and object; empty when it reads as a noun.

    >>> [verb_phrase(x) for x in ("treats", "capital of", "located in", "is part of", "capital")]
    ['treats', 'is the capital of', 'is located in', 'is part of', '']
    """
    words = label.split()
    first, last = words[0].lower(), words[-1].lower()
    if VERBS.fullmatch(first) or (AUXILIARIES.fullmatch(first) and len(words) > 1):
        return label
    if len(words) > 1 and first == "has" and PREPOSITIONS.fullmatch(last):
        return label
    if len(words) == 1 or not PREPOSITIONS.fullmatch(last):
        return ""
    bare = BARE.fullmatch(first) or PREPOSITIONS.fullmatch(first)
    return f"is {label}" if bare else f"is the {label}"
