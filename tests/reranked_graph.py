"""A graph whose entities have two names each that share one word, made up so that examples are many."""

from pathlib import Path

from infact.kg.graph import KnowledgeGraph
from infact.kg.ingest import ingest
from infact.kg.readers.sources import Source

COLOURS = {
    "red": "rufous", "blue": "azure", "green": "verdant", "black": "sable", "white": "pallid",
    "brown": "umber", "grey": "ashen", "pink": "rosy", "purple": "violet", "yellow": "xanthic",
    "orange": "tawny", "golden": "auric", "silver": "argent", "scarlet": "vermilion",
}  # fmt: skip
THINGS = (
    "kidney", "liver", "heart", "lung", "hand", "foot", "eye", "ear", "nose", "tooth", "skull", "femur",
)  # fmt: skip
HEAD = """\
@prefix ex: <http://example.org/> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
ex:root rdfs:label "Coloured thing" .
"""


def turtle(defined: bool) -> str:
    """A hundred and more entities, below one another by what they are of."""
    lines = [HEAD]
    for thing in THINGS:
        lines.append(f'ex:{thing} rdfs:label "{thing}" ; rdfs:subClassOf ex:root .')
    for place, (colour, other) in enumerate(COLOURS.items()):
        for number, thing in enumerate(THINGS):
            neighbour = f"{colour} {THINGS[number - 1]}"
            told = f' ; skos:definition "What is seen beside the {neighbour}, in most of them."'
            lines.append(
                f'ex:{colour}_{thing} rdfs:label "{colour} {thing}" ; rdfs:subClassOf ex:{thing} ; '
                f'skos:altLabel "{other} {thing}"{told if defined and place % 2 else ""} .'
            )
    return "\n".join(lines)


def make_reranked_graph(folder: Path, defined: bool = True) -> KnowledgeGraph:
    """Ingest it into a folder."""
    source = folder.with_suffix(".ttl")
    source.write_text(turtle(defined), encoding="utf-8")
    folder.mkdir()
    ingest([Source(source, "coloured.ttl")], folder)
    return KnowledgeGraph.open(folder)
