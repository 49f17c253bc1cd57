"""Statements from OBO files, parsed by fastobo one frame at a time.

The mapping follows "OBO Flat File Format 1.4" (https://owlcollab.github.io/oboformat/doc/), section
on the translation to OWL, as ROBOT writes it. What that translation says with OWL axioms
(intersection_of, holds_over_chain, …) is kept as the clause's text under oboInOwl:<tag>.
Trailing qualifiers, synonym types and the cross-references of definitions are not statements.
"""

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import fastobo

from .. import vocabulary as v
from ..prefixes import ABSOLUTE, ExpansionError, Prefixes
from ..statements import Rejected, Statement
from .bounded_lines import TOO_LONG, BoundedLines, OverlongLineError
from .obo_clauses import Clause, FrameContext, clause_statement
from .sources import Advance, Source, open_source

FRAME_TYPES = {
    "Term": v.OWL + "Class",
    "Typedef": v.OWL + "ObjectProperty",
    "Instance": v.OWL + "NamedIndividual",
}
FRAME_START = re.compile(r"\[(\w+)\]\s*(?:!.*)?$")
INSTANCE_OF = re.compile(r"^instance_of:")
Line = tuple[int, str]  # number from 1, text


@dataclass
class Frame:
    """The raw lines of one frame, blank lines and comments left out; kind "" is the header."""

    kind: str
    start: Line
    clauses: list[Line] = field(default_factory=list)
    overlong: list[Rejected] = field(default_factory=list)


def obo_statements(
    source: Source, prefixes: Prefixes, advance: Advance | None = None
) -> Iterator[Statement | Rejected]:
    """Statements of one OBO file, each with the line of its clause.

    A clause that fastobo doesn't take is rejected alone; a frame without a valid id is rejected
    clause by clause, for nothing is known about what it describes.
    """
    context = read_context(source, prefixes)
    with text_of(source, advance) as text:
        for frame in read_frames(BoundedLines(text)):
            yield from frame.overlong
            if frame.kind:
                yield from frame_statements(frame, context)
            else:
                yield from header_statements(frame, context)


def text_of(source: Source, advance: Advance | None = None) -> io.TextIOWrapper:
    """The file as lines of text, whatever their ends."""
    return io.TextIOWrapper(open_source(source, advance), "utf-8-sig")


def read_frames(lines: BoundedLines) -> Iterator[Frame]:
    """The header, then one frame after the other."""
    frame = Frame("", (1, ""))
    while True:
        try:
            line = next(lines, "")
        except OverlongLineError as error:
            frame.overlong.append(Rejected(error.number, 0, TOO_LONG, error.beginning))
            continue
        if not line:
            break
        number = lines.number
        stripped = line.strip()
        if not stripped or stripped.startswith("!"):
            continue
        opening = FRAME_START.match(stripped)
        if opening:
            yield frame
            frame = Frame(opening[1], (number, stripped))
        else:
            frame.clauses.append((number, stripped))
    yield frame


def read_context(source: Source, prefixes: Prefixes) -> FrameContext:
    """A first pass for what clauses depend on: id spaces, ontology name, shorthand relations.

    A Typedef `part_of` with `xref: BFO:0000050` makes `part_of` mean that IRI everywhere.
    """
    declared: dict[str, str] = {}
    ontology = "unnamed"
    shorthand: dict[str, str] = {}
    with text_of(source) as text:
        for frame in read_frames(BoundedLines(text)):
            tags = [line.partition(":") for _, line in frame.clauses]
            words = [(tag, value.split()) for tag, _, value in tags if value.split()]
            if not frame.kind:
                for tag, found in words:
                    if tag == "idspace" and len(found) > 1 and ABSOLUTE.match(found[1]):
                        declared[found[0]] = found[1]
                    if tag == "ontology":
                        ontology = found[0].removesuffix(".obo").removesuffix(".owl")
            elif frame.kind == "Typedef":
                name = next((found[0] for tag, found in words if tag == "id"), "")
                xrefs = [found[0] for tag, found in words if tag == "xref"]
                if ":" not in name and xrefs:
                    shorthand[name] = xrefs[0]
    spaces = {**declared, **prefixes.spaces}
    return FrameContext(Prefixes(spaces, prefixes.unknown), ontology, shorthand)


def header_statements(frame: Frame, context: FrameContext) -> Iterator[Statement | Rejected]:
    """What the header says about the ontology itself."""
    subject = f"{v.OBO}{context.ontology}.owl"
    if frame.clauses:
        yield Statement(subject, v.RDF_TYPE, v.OWL + "Ontology", frame.clauses[0][0])
    for line, clause in parsed_clauses("", frame.clauses):
        yield statement_of(line, clause, subject, "", context)


def frame_statements(frame: Frame, context: FrameContext) -> Iterator[Statement | Rejected]:
    """The statements of a Term, Typedef or Instance."""
    identifier = next((line for line in frame.clauses if line[1].startswith("id:")), None)
    if frame.kind not in FRAME_TYPES:
        yield from refused(frame, f"[{frame.kind}] is no kind of OBO frame")
        return
    if identifier is None:
        yield from refused(frame, "the frame has no id")
        return
    # fastobo's Python objects tell nothing of an Instance's clauses; but for instance_of, which
    # says of an instance what is_a says of a term, they are those of a Term
    kind = "Term" if frame.kind == "Instance" else frame.kind
    opening = f"[{kind}]\n{identifier[1]}\n"
    try:
        subject = context.expand(str(fastobo.loads(opening, threads=1)[0].id))
    except (SyntaxError, ExpansionError) as error:
        yield from refused(frame, f"the frame's id is not valid: {getattr(error, 'msg', error)}")
        return
    yield Statement(subject, v.RDF_TYPE, FRAME_TYPES[frame.kind], identifier[0])
    rest = [line for line in frame.clauses if line is not identifier]
    if frame.kind == "Instance":
        rest = [(number, INSTANCE_OF.sub("is_a:", text)) for number, text in rest]
    for line, clause in parsed_clauses(opening, rest):
        yield statement_of(line, clause, subject, frame.kind, context)


def parsed_clauses(opening: str, lines: list[Line]) -> Iterator[tuple[Line, Clause | Rejected]]:
    """fastobo's clauses beside their lines, or why it refuses one. `opening` is the text before
    the first clause.
    """
    try:
        clauses = parsed(opening, lines)
    except SyntaxError:
        clauses = []
    if len(clauses) == len(lines):
        yield from zip(lines, clauses, strict=True)
        return
    # parsed together, an open quotation mark or a last backslash would take in the next line too
    for line in lines:
        try:
            for clause in parsed(opening, [line]):
                yield line, clause
        except SyntaxError as error:
            yield line, Rejected(line[0], error.offset or 0, error.msg, line[1][:200])


def parsed(opening: str, lines: Iterable[Line]) -> list[Clause]:
    """The clauses of one frame, or of the header where `opening` is empty."""
    document = fastobo.loads(opening + "".join(f"{text}\n" for _, text in lines), threads=1)
    return list(document[0] if opening else document.header)


def statement_of(
    line: Line, clause: Clause | Rejected, subject: str, kind: str, context: FrameContext
) -> Statement | Rejected:
    """The statement of one clause, or why there is none."""
    if isinstance(clause, Rejected):
        return clause
    number, text = line
    try:
        predicate, item = clause_statement(clause, kind, context)
    except ExpansionError as error:
        return Rejected(number, 0, str(error), text[:200])
    return Statement(subject, predicate, item, number)


def refused(frame: Frame, reason: str) -> Iterator[Rejected]:
    """Every line of a frame that can't be read."""
    for number, text in [frame.start, *frame.clauses]:
        yield Rejected(number, 0, reason, text[:200])
