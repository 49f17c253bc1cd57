"""Malformed files of every format, made by rule: small valid files, each with one thing wrong."""

import bz2
import gzip
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pyarrow

GOOD = 4  # statements around the damage
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"
CUTS = 9  # places where each format's file is cut


@dataclass(frozen=True)
class MalformedFile:
    """A file, and how many of the good statements (`good(0)`, …) must be stored from it.

    Where `kept` is 0 the whole file may be refused with a UserError.
    """

    name: str
    content: bytes
    kept: int = 0


def subject(number: int) -> str:
    return f"http://e.org/good{number}"


PREFIXES = "@prefix e: <http://e.org/> .\n@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
XML = (
    '<?xml version="1.0"?>\n<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"\n'
    ' xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#" xmlns:e="http://e.org/">\n'
)
CONTEXT = '{"@context": {"label": "http://www.w3.org/2000/01/rdf-schema#label"},\n "@graph": [\n'
# Format → what stands before, for each good statement, between two, and after.
FRAMES: Mapping[str, tuple[str, str, str, str]] = {
    "nt": ("", f'<http://e.org/good%d> <{LABEL}> "good %d" .', "\n", "\n"),
    "nq": ("", f'<http://e.org/good%d> <{LABEL}> "good %d" <http://e.org/g> .', "\n", "\n"),
    "ttl": (PREFIXES, 'e:good%d rdfs:label "good %d" .', "\n", "\n"),
    "trig": (f"{PREFIXES}e:g {{\n", 'e:good%d rdfs:label "good %d" .', "\n", "\n}\n"),
    "rdf": (
        XML,
        '<e:T rdf:about="http://e.org/good%d"><rdfs:label>good %d</rdfs:label></e:T>',
        "\n",
        "\n</rdf:RDF>\n",
    ),
    "jsonld": (CONTEXT, '{"@id": "http://e.org/good%d", "label": "good %d"}', ",\n", "\n]}\n"),
    "obo": (
        "format-version: 1.2\nidspace: e http://e.org/ x\n\n",
        "[Term]\nid: e:good%d\nname: good %d\n",
        "\n",
        "\n",
    ),
    "csv": ("id,label\n", "e:good%d,good %d", "\n", "\n"),
    "tsv": ("id\tlabel\n", "e:good%d\tgood %d", "\n", "\n"),
}
RESUMABLE = (
    "nt",
    "nq",
    "ttl",
    "trig",
    "rdf",
    "obo",
    "csv",
    "tsv",
)  # a bad statement costs nothing else
# Damages that take what is below with them, where statements aren't lines.
SWALLOWING: Mapping[str, tuple[str, ...]] = {
    "ttl": ("no_dot", "graph_block", "garbage"),
    "rdf": (
        "unclosed",
        "bare_less_than",
        "open_comment",
        "open_cdata",
        "late_doctype",
        "empty_tag",
        "extra_end",
    ),
}
S, P = "<http://e.org/s>", "<http://e.org/p>"
# Damaged statements of N-Triples; N-Quads, Turtle and TriG share all that they have in common.
LINES: Mapping[str, str] = {
    "no_dot": f"{S} {P} <http://e.org/o>",
    "no_object": f"{S} {P} .",
    "no_predicate": f"{S} .",
    "literal_subject": f'"s" {P} <http://e.org/o> .',
    "literal_predicate": f'{S} "p" <http://e.org/o> .',
    "blank_predicate": f"{S} _:p <http://e.org/o> .",
    "five_terms": f"{S} {P} {S} {S} {S} .",
    "relative_iri": f"<s> {P} <http://e.org/o> .",
    "empty_iri": f"<> {P} <http://e.org/o> .",
    "blank_in_iri": f"{S} {P} <http://e.org/a b> .",
    "brace_in_iri": f"{S} {P} <http://e.org/{{a}}> .",
    "quote_in_iri": f'{S} {P} <http://e.org/"a"> .',
    "backslash_in_iri": f"{S} {P} <http://e.org/a\\b> .",
    "escaped_blank_in_iri": f"{S} {P} <http://e.org/\\u0020> .",
    "surrogate_in_iri": f"{S} {P} <http://e.org/\\uD800> .",
    "bad_percent_in_iri": f"{S} {P} <http://e.org/%zz> .",
    "bad_port_in_iri": f"{S} {P} <http://e.org:port/> .",
    "open_iri": f"{S} {P} <http://e.org/o .",
    "no_iri_start": f"{S} {P} http://e.org/o> .",
    "open_bracket_host": f"{S} {P} <http://[e.org/> .",
    "bad_escape": f'{S} {P} "a\\qb" .',
    "short_escape": f'{S} {P} "a\\u00" .',
    "surrogate": f'{S} {P} "a\\uD800b" .',
    "surrogate_pair": f'{S} {P} "a\\uD83D\\uDE00b" .',
    "beyond_unicode": f'{S} {P} "a\\U00110000" .',
    "open_literal": f'{S} {P} "a .',
    "quote_in_literal": f'{S} {P} "a"b" .',
    "escape_at_the_end": f'{S} {P} "a\\" .',
    "bad_language": f'{S} {P} "a"@1 .',
    "empty_language": f'{S} {P} "a"@ .',
    "long_language": f'{S} {P} "a"@abcdefghijk .',
    "underscore_language": f'{S} {P} "a"@en_GB .',
    "no_datatype": f'{S} {P} "a"^^ .',
    "literal_datatype": f'{S} {P} "a"^^"b" .',
    "one_caret": f'{S} {P} "a"^{S} .',
    "language_and_datatype": f'{S} {P} "a"@en^^{S} .',
    "no_blank_label": f"_: {P} {S} .",
    "bare_word": f"{S} {P} word .",
    "undeclared_prefix": f"{S} {P} undeclared:o .",
    "nul_in_iri": f"{S} {P} <http://e.org/\0> .",
    "control_in_iri": f"{S} {P} <http://e.org/\x1b[31m> .",
    "triple_term": f"{S} {P} <<( {S} {P} {S} )>> .",
    "reified_triple": f"<< {S} {P} {S} >> {P} {S} .",
    "open_triple_term": f"{S} {P} <<( {S} {P} {S} .",
    "variable": f"?s {P} {S} .",
    "graph_block": f"{{ {S} {P} {S} . }}",
    "garbage": "\x01\x02\x7f%&/()=",
}
TURTLE: Mapping[str, str] = {
    "open_list": "e:s e:p ( e:a e:b .",
    "open_node": "e:s e:p [ e:q e:o .",
    "extra_bracket": "e:s e:p e:o ] .",
    "two_commas": "e:s e:p e:o ,, e:o .",
    "comma_at_the_end": "e:s e:p e:o , .",
    "number_subject": "1 e:p e:o .",
    "decimal_comma": "e:s e:p 1,5 .",
    "bad_number": "e:s e:p 1.5.6 .",
    "bad_local_escape": "e:s e:p e:a\\! .",
    "bad_local_percent": "e:s e:p e:a%2 .",
    "prefix_without_iri": "@prefix x: .",
    "prefix_without_colon": "@prefix x <http://e.org/> .",
    "prefix_with_bad_iri": "@prefix x: <http://e.org/ /> .",
    "base_with_relative_iri": "@base <relative> .",
    "unknown_directive": "@keyword a .",
    "line_end_in_literal": 'e:s e:p "a\nb" .',
    "equals": "e:s = e:o .",
    "arrow": "e:s => e:o .",
}
ELEMENTS: Mapping[str, str] = {
    "unclosed": "<e:T>",
    "crossed": "<e:T><e:p></e:T></e:p>",
    "undeclared_namespace": '<x:T rdf:about="http://e.org/a"/>',
    "undeclared_entity": "<e:T><e:p>&what;</e:p></e:T>",
    "bare_ampersand": "<e:T><e:p>a & b</e:p></e:T>",
    "bare_less_than": "<e:T><e:p>a < b</e:p></e:T>",
    "attribute_twice": '<e:T e:a="1" e:a="2"/>',
    "unquoted_attribute": "<e:T e:a=1/>",
    "relative_about": '<e:T rdf:about="a"/>',
    "bad_iri": '<e:T rdf:about="http://e.org/a b"/>',
    "about_and_id": '<e:T rdf:about="http://e.org/a" rdf:ID="a"/>',
    "bad_id": '<e:T rdf:ID="1 a"/>',
    "bad_node_id": '<e:T rdf:nodeID="1 a"/>',
    "rdf_li_as_type": "<rdf:li/>",
    "about_each": '<e:T rdf:aboutEach="http://e.org/a"/>',
    "text_among_nodes": "text",
    "text_and_element": "<e:T><e:p>text<e:T/></e:p></e:T>",
    "bad_language": '<e:T><e:p xml:lang="1">a</e:p></e:T>',
    "bad_datatype": '<e:T><e:p rdf:datatype="a b">a</e:p></e:T>',
    "bad_parse_type": '<e:T><e:p rdf:parseType="Resource" rdf:resource="http://e.org/a"/></e:T>',
    "nul": "<e:T><e:p>\0</e:p></e:T>",
    "control_reference": "<e:T><e:p>&#0;</e:p></e:T>",
    "surrogate_reference": "<e:T><e:p>&#xD800;</e:p></e:T>",
    "open_comment": "<!-- a",
    "dashes_in_comment": "<!-- a -- b -->",
    "open_cdata": "<e:T><e:p><![CDATA[ a </e:p></e:T>",
    "second_declaration": '<?xml version="1.0"?>',
    "late_doctype": '<!DOCTYPE r [<!ENTITY a "b">]>',
    "empty_tag": "<>",
    "extra_end": "</e:T>",
}
OBJECTS: Mapping[str, str] = {
    "open_object": '{"@id": "http://e.org/a"',
    "trailing_comma": '{"@id": "http://e.org/a",}',
    "single_quotes": "{'@id': 'http://e.org/a'}",
    "bare_word": "{label: 1}",
    "slashes": "/* a */",
    "not_a_number": '{"label": NaN}',
    "leading_zero": '{"label": 01}',
    "bad_escape": '{"label": "\\q"}',
    "surrogate": '{"label": "\\uD800"}',
    "control": '{"label": "a\nb"}',
    "nul": '{"label": "\0"}',
    "number_id": '{"@id": 1, "label": "a"}',
    "relative_id": '{"@id": "a", "label": "a"}',
    "bad_id": '{"@id": "http://e.org/a b", "label": "a"}',
    "unknown_keyword": '{"@what": "a", "label": "b"}',
    "value_with_more": '{"label": {"@value": "a", "@id": "http://e.org/a"}}',
    "bad_language": '{"label": {"@value": "a", "@language": "1"}}',
    "language_and_type": '{"label": {"@value": "a", "@language": "en", "@type": "http://e.org/"}}',
    "bad_datatype": '{"label": {"@value": "a", "@type": "a b"}}',
    "list_in_value": '{"label": {"@value": ["a"]}}',
    "remote_context": '{"@context": "https://e.org/context.jsonld", "label": "a"}',
    "imported_context": '{"@context": {"@import": "https://e.org/c.jsonld"}, "label": "a"}',
    "bad_context": '{"@context": 1, "label": "a"}',
    "circular_context": '{"@context": {"a": "b:x", "b": "a:x"}, "a": 1}',
    "bad_version": '{"@context": {"@version": 9}, "label": "a"}',
    "key_twice": '{"label": "a", "label": "b"}',
    "bad_reverse": '{"@reverse": "a"}',
    "text_after_the_end": "]}{",
}
CLAUSES: Mapping[str, str] = {
    "no_id": "[Term]\nname: a\n",
    "empty_id": "[Term]\nid:\nname: a\n",
    "two_ids": "[Term]\nid: e:a\nid: e:b\n",
    "late_id": "[Term]\nname: a\nid: e:a\n",
    "unknown_frame": "[Nonsense]\nid: e:a\n",
    "open_frame": "[Term\nid: e:a\n",
    "unknown_tag": "[Term]\nid: e:a\nnonsense: a\n",
    "no_colon": "[Term]\nid: e:a\nnonsense\n",
    "no_value": "[Term]\nid: e:a\nname:\n",
    "open_definition": '[Term]\nid: e:a\ndef: "a []\n',
    "no_references": '[Term]\nid: e:a\ndef: "a"\n',
    "bad_scope": '[Term]\nid: e:a\nsynonym: "a" NEARLY []\n',
    "bad_boolean": "[Term]\nid: e:a\nis_obsolete: perhaps\n",
    "one_target": "[Term]\nid: e:a\nrelationship: part_of\n",
    "bad_identifier": "[Term]\nid: http://e.org/{a}\nname: a\n",
    "backslash": "[Term]\nid: e:a\nname: a\\\n",
    "open_qualifier": '[Term]\nid: e:a\nis_a: e:b {source="a"\n',
    "bad_date": "[Term]\nid: e:a\ncreation_date: yesterday\n",
    "nul": "[Term]\nid: e:a\nname: a\0b\n",
    "control_in_id": "[Term]\nid: e:\x1b[31m\nname: a\n",
    "property_value_of_one": "[Term]\nid: e:a\nproperty_value: e:p\n",
    "open_property_value": '[Term]\nid: e:a\nproperty_value: e:p "a xsd:string\n',
    "line_separator": "[Term]\nid: e:a\nname: a\u2028b\n",
}
ROWS: Mapping[str, str] = {
    "too_few": "e:a",
    "too_many": "e:a{0}a{0}b",
    "empty_cell": "{0}a",
    "only_blanks": "  {0} ",
    "undeclared_prefix": "x:a{0}a",
    "no_prefix": "a{0}a",
    "bad_iri": "e:a b{0}a",
    "relative_iri": "<a>{0}a",
    "nul": "e:\0{0}a",
    "control": "e:\x1b[31m{0}a",
    "open_quote": 'e:a{0}"a',
    "text_after_a_quote": 'e:a{0}"a"b',
    "quote_at_the_end": 'e:a{0}a"',
    "open_quote_first": '"e:a{0}a',
    "line_separator": "e:a{0}\u2028{0}b",
    "formula": "=1+1{0}=cmd|'/c'!A0",
}


def with_damage(extension: str, damage: str) -> str:
    """A valid file with a damaged statement in its middle."""
    before, statement, between, after = FRAMES[extension]
    statements = [statement % (number, number) for number in range(GOOD)]
    statements.insert(GOOD // 2, damage)
    return before + between.join(statements) + after


def valid(extension: str) -> bytes:
    """A file with the good statements alone."""
    before, statement, between, after = FRAMES[extension]
    return (before + between.join(statement % (n, n) for n in range(GOOD)) + after).encode()


def damaged_statements() -> Iterator[MalformedFile]:
    """Each damage of each format."""
    for extensions, damages in (
        (("nt", "nq", "ttl"), LINES),
        (("ttl", "trig"), TURTLE),
        (("rdf",), ELEMENTS),
        (("jsonld",), OBJECTS),
        (("obo",), CLAUSES),
    ):
        for extension in extensions:
            for name, damage in damages.items():
                content = with_damage(extension, damage).encode()
                kept = GOOD if extension in RESUMABLE else 0
                if name in SWALLOWING.get(extension, ()):
                    kept = GOOD // 2
                yield MalformedFile(f"{name}.{extension}", content, kept)
    for extension, delimiter in (("csv", ","), ("tsv", "\t")):
        for name, damage in ROWS.items():
            content = with_damage(extension, damage.format(delimiter)).encode()
            yield MalformedFile(f"{name}.{extension}", content, GOOD)


def cut_files() -> Iterator[MalformedFile]:
    """Every format's file, ended at places spread over it."""
    for extension in FRAMES:
        whole = valid(extension)
        for place in range(CUTS):
            cut = len(whole) * (place + 1) // (CUTS + 1)
            yield MalformedFile(f"cut{place}.{extension}", whole[:cut])


def whole_files() -> Iterator[MalformedFile]:
    """What can be wrong with a file as a whole, for every format."""
    for extension in FRAMES:
        text = valid(extension)
        middle = text.index(b"good 2")
        resumed = GOOD if extension in RESUMABLE else 0
        for name, content, kept in (
            ("empty", b"", 0),
            ("blank", b" \n\n\t\n", 0),
            ("comment", b"# nothing\n", 0),
            ("bom", b"\xef\xbb\xbf" + text, GOOD),
            ("late_bom", text[:middle] + b"\xef\xbb\xbf" + text[middle:], GOOD - 1),
            ("utf16", text.decode().encode("utf-16"), 0),
            ("latin1", text.replace(b"good 2", b"g\xf6\xf6d 2"), 0),
            ("cut_utf8", text[:middle] + b"\xe2\x82" + text[middle:], 0),
            ("surrogate_utf8", text[:middle] + b"\xed\xa0\x80" + text[middle:], 0),
            ("carriage_returns", text.replace(b"\n", b"\r"), GOOD),
            ("windows_ends", text.replace(b"\n", b"\r\n"), GOOD),
            ("mixed_ends", text.replace(b"\n", b"\r\n", 3), GOOD),
            ("no_last_end", text.rstrip(b"\n"), GOOD),
            ("separator", text[:middle] + "\u2028".encode() + text[middle:], GOOD - 1),
            ("nul_tail", text + b"\0" * 100, resumed),
            ("twice", text + text, resumed),
        ):
            yield MalformedFile(f"{name}.{extension}", content, kept)


def compressed_files() -> Iterator[MalformedFile]:
    """Archives: cut, damaged, in several members, nested, or not what they are called."""
    text = valid("nt")
    packed = {"gz": gzip.compress(text, mtime=0), "bz2": bz2.compress(text), "zst": zstd(text)}
    halves = text[:50], text[50:]
    for extension, content in packed.items():
        name = f"nt.{extension}"
        yield MalformedFile(f"whole.{name}", content, GOOD)
        yield MalformedFile(f"cut_head.{name}", content[:9])
        yield MalformedFile(f"cut_middle.{name}", content[: len(content) // 2])
        yield MalformedFile(f"cut_tail.{name}", content[:-3])
        flipped = bytearray(content)
        flipped[len(flipped) // 2] ^= 0xFF
        yield MalformedFile(f"flipped.{name}", bytes(flipped))
        yield MalformedFile(f"garbage_after.{name}", content + b"garbage")
        yield MalformedFile(f"not_compressed.{name}", text, GOOD)
        yield MalformedFile(f"called_otherwise_{extension}.nt", content, GOOD)
        yield MalformedFile(f"nested_{extension}.nt.gz", gzip.compress(content, mtime=0))
    gzips = b"".join(gzip.compress(half, mtime=0) for half in halves)
    yield MalformedFile("members.nt.gz", gzips, GOOD)
    yield MalformedFile("members.nt.bz2", b"".join(map(bz2.compress, halves)), GOOD)
    yield MalformedFile("members.nt.zst", b"".join(map(zstd, halves)), GOOD)


def misnamed_files() -> Iterator[MalformedFile]:
    """Each format's content under the names of the three after it."""
    names = list(FRAMES)
    for number, extension in enumerate(names):
        for called in (names + names)[number + 1 : number + 4]:
            yield MalformedFile(f"{extension}_inside.{called}", valid(extension))


def zstd(text: bytes) -> bytes:
    """A zstandard frame."""
    return bytes(pyarrow.compress(text, "zstd", asbytes=True))


def malformed_files() -> list[MalformedFile]:
    """All of them."""
    return [
        *damaged_statements(),
        *cut_files(),
        *whole_files(),
        *compressed_files(),
        *misnamed_files(),
    ]
