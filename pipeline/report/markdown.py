"""The report as Markdown: the same tables and sentences as the page."""

import re
from typing import Any

from .graph_checks import graph_checks_in_words
from .tables import Table, tables
from .teaching import teaching_in_words

Json = dict[str, Any]
SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-!|~&$:@])")
QUESTIONS = {
    "gained": "What was gained?",
    "broke": "What broke?",
    "cost": "What did it cost?",
    "controls": "Is it beyond the controls?",
}
SECTIONS = {
    "generation": "Free answers",
    "lists": "Free answers where several objects are true",
    "comparisons": "Gained, kept, lost",
    "costs": "Cost",
    "controls": "Controls",
    "repeat": "The base asked twice",
    "absent": "Absent arms",
    "checks": "Targets",
    "edits": "When the graph is edited",
    "consistency": "Under several phrasings",
    "calibration": "Calibration and selective answering",
    "seeds": "Between seeds",
    "slices": "By relation (accuracy, %)",
    "degrees": "By degree of the subject (accuracy, %)",
    "languages": "By language (accuracy, %)",
    "knowledge": "By what the base knew before it was taught (accuracy, %)",
    "explained_facts": "Reasons: facts that were read",
    "explained_layers": "Reasons: layers that matter most",
    "curves": "Training curves",
}


def render_markdown(report: Json) -> str:
    """One Markdown document; labels are escaped, so none becomes markup."""
    found, teaching = tables(report), teaching_in_words(report)
    blocks = [
        f"# {escape(report['title'])}",
        f"Report by infact, {report['seed_words']}, intervals at 95 %.",
        escape_sentence(report["verdict"]["headline"]),
        *(_answer(question, report["verdict"][key]) for key, question in QUESTIONS.items()),
        "**Can it be trusted?**" if report["verdict"]["further"] else "",
        _list(report["verdict"]["further"]),
        "## Accuracy of every arm",
        found["arms"],
        _pools(report),
        *(block for name, title in SECTIONS.items() for block in (f"## {title}", found[name])),
        *(["## Teaching", *map(escape_sentence, teaching)] if teaching else []),
        "## Sample facts",
        *(_sample(pool, sample) for pool, group in report["samples"].items() for sample in group),
        "## Limitations",
        _list(report["limitations"]),
        "## The graph",
        escape_sentence(graph_checks_in_words(report)),
        found["findings"] if report.get("findings") else "",
        "## Provenance",
        f"Model: {escape(report['provenance']['model'])}; seed {report['provenance']['seed']}; "
        f"what was declared beforehand has the digest {report['primary']['declared']}.",
        *(found[name] for name in ("sources", "stages", "environment")),
    ]
    written = [_table(block) if isinstance(block, Table) else block for block in blocks]
    return "\n\n".join(block for block in written if block) + "\n"


def escape(text: str) -> str:
    """Text with every character that Markdown or HTML could read as markup escaped."""
    return SPECIAL.sub(r"\\\1", text).replace("\\<", "&lt;").replace("\\>", "&gt;")


def escape_sentence(text: str) -> str:
    """Like `escape`, but leaves the brackets and hyphens that our own sentences are full of."""
    return re.sub(r"([\\`*_\[\]#|~$@])", r"\\\1", text).replace("<", "&lt;").replace(">", "&gt;")


def _answer(question: str, answer: Json) -> str:
    lead = f"**{question}** {answer['number']} {escape_sentence(answer['unit'])}."
    return "\n".join([lead, "", _list(answer["sentences"])]).strip()


def _list(sentences: list[str]) -> str:
    return "\n".join(f"- {escape_sentence(sentence)}" for sentence in sentences)


def _pools(report: Json) -> str:
    return "\n".join(
        f"- {pool['pool']} {pool['name']}: {pool['asks']}; {pool['questions']} questions, "
        f"{pool['facts']} facts, {pool['subjects']} subjects"
        for pool in report["pools"]
    )


def _table(table: Table) -> str:
    if not table.rows:
        return "Nothing of this kind was measured."
    rules = ["---"] * table.text_columns + ["---:"] * (len(table.head) - table.text_columns)
    cells = [[escape_sentence(cell) for cell in row] for row in (table.head, *table.rows)]
    lines = [cells[0], rules, *cells[1:]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _sample(pool: str, sample: Json) -> str:
    place = sample["source"] + (f", line {sample['line']}" if sample["line"] else "")
    head = f"**{pool}** {escape(sample['question'])} → {escape(sample['answer'])} ({escape(place)})"
    lines = [
        f"- {escape(answer['arm'])}: {'right' if answer['right'] else 'wrong'}, "
        f"chose {escape(answer['chosen'] or '–')}"
        + (f"; wrote {escape(answer['generated'])}" if answer["generated"] is not None else "")
        for answer in sample["answers"]
    ]
    return "\n".join([head, "", *lines])
