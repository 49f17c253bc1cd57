"""General text: the passages of a file, and English prose that is on every machine, Python's documentation."""

import re
from pathlib import Path
from pydoc_data.topics import topics

WORDS = (8, 80)  # of a paragraph that is taken: sentences, within any encoder's window


def general_texts(path: Path) -> list[str]:
    """The passages of general text, one a line."""
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def general_prose() -> list[str]:
    """The paragraphs that are whole sentences, each once, in their order; they differ by Python's version."""
    paragraphs = (
        " ".join(part.split()) for text in topics.values() for part in re.split(r"\n\s*\n", text)
    )
    return list(dict.fromkeys(filter(_is_prose, paragraphs)))


def _is_prose(paragraph: str) -> bool:
    fewest, most = WORDS
    in_bounds = fewest <= len(paragraph.split()) <= most
    sentences = paragraph[:1].isupper() and paragraph.endswith(".")
    return in_bounds and sentences and "::" not in paragraph and ">>>" not in paragraph
