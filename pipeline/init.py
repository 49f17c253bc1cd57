"""`infact init`: write a project file with every key, its default and what it means.

Keys and comments come from settings/, so the file can't fall behind the code.
"""

import json
from pathlib import Path

from pydantic.fields import FieldInfo

from ..errors import UserError
from .settings.project_file import Settings
from .settings.table import Table

HEADER = """\
# An infact project. Name your graph's files under [[source]], then: infact run --config THIS_FILE
# Every key below has the default shown, but for [prefixes] and [[source]]. Delete what you don't
# change. Another file beside this one takes over its keys, but for those that it names itself, if it
# begins with: extends="infact.toml"
"""

EXAMPLES = {
    "prefixes": """\
[prefixes]
ex = "http://example.org/"
""",
    "source": """\
[[source]]
path = "graph.ttl"  # relative to this file, or package:<module>/<path inside it>
# format = "ttl"  # ttl nt nq trig rdf jsonld obo csv tsv kgx wikidata; told when left out
# languages = ["en", "de"]  # texts in other languages are not read; all when left out
# version = "2025-01-16"  # shown in the report, like licence and url
# licence = "CC0-1.0"
# url = "https://example.org/graph"

# A table (csv, tsv) says what a row states; templates over columns, prefix:name or IRIs once filled.
# [[source]]
# path = "products.csv"
# comment = "#"  # lines that start so are skipped before the header
# [[source.triples]]
# subject = "ex:{id}"
# predicate = "rdfs:label"
# literal = "{name}"
# language = "en"
# [[source.triples]]
# subject = "ex:{id}"
# predicate = "ex:made_by"
# object = "ex:{maker}"
# where = { status = ["sold", "planned"] }  # all must hold; a list means any of
# where_not = { maker = "" }

# A SPARQL endpoint, in place of a path; needs allow_network. It is fetched once and kept, and asked
# again by: infact ingest --refetch
# [[source]]
# endpoint = "https://example.org/sparql"
# graphs = ["http://example.org/graph"]  # its default graph when left out
""",
    "facts.predicate": """\

# Phrasings of a predicate; without any, infact writes plain ones from its label.
# [[facts.predicate]]
# iri = "ex:made_by"
# label = "maker"
# train_questions = ["Who makes {subject}?", "The maker of {subject} is {object}"]
# test_questions = ["Which company produces {subject}?"]  # never shown in training
# statements = ["{subject} is made by {object}.", "{object} makes {subject}."]
""",
    "report.target": """\

# What the run is held to; the report says of each whether it was met.
# [[report.target]]
# arm = "fused"
# measure = "gain"  # accuracy, free answers, gain, share of gain, perplexity ratio, ...
# pool = "M"
# against = "base"
# at_least = 0.6
""",
}


def write_project_file(path: Path) -> None:
    """Write a commented project file; raises UserError when there is a file already."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(project_file_text())
    except FileExistsError:
        raise UserError(
            "there is a file already", str(path), "name another, or remove it"
        ) from None
    except FileNotFoundError:
        if path.parent.exists():
            raise UserError(
                "nothing can be written there", str(path), "name another place"
            ) from None
        raise UserError("its folder doesn't exist", str(path), f"mkdir -p {path.parent}") from None
    except OSError as error:
        what = f"the file can't be written: {error.strerror}"
        raise UserError(what, str(path), "name another folder") from None


def project_file_text() -> str:
    """A project file that loads, with all keys of all tables."""
    parts = [HEADER]
    for name, field in Settings.model_fields.items():
        comment = f"# {field.description}\n" if field.description else ""
        parts.append(comment + (EXAMPLES.get(name) or _table(name, field)))
    return "\n".join(parts)


def _table(name: str, field: FieldInfo) -> str:
    default = field.default
    if not isinstance(default, Table):
        raise TypeError(f"[{name}] needs a default table or an example")
    lines = [f"[{name}]"]
    for key, entry in type(default).model_fields.items():
        if f"{name}.{key}" in EXAMPLES:
            continue
        lines.append(_line(key, getattr(default, key), entry.description or ""))
    examples = [text for key, text in EXAMPLES.items() if key.startswith(f"{name}.")]
    return "\n".join(lines) + "\n" + "".join(examples)


def _line(key: str, value: object, comment: str) -> str:
    if value is None:
        return f"# {key} =  # {comment}"
    line = f"{key} = {_toml(value)}"
    # A long list gets its comment above itself.
    return f"# {comment}\n{line}" if len(line) > 60 else f"{line}  # {comment}"


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        items = [_toml(item) for item in value]
        text = f"[{', '.join(items)}]"
        return text if len(text) <= 80 else "[\n    " + ",\n    ".join(items) + ",\n]"
    # JSON's strings, numbers and booleans are TOML's too.
    return json.dumps(value, ensure_ascii=False)
