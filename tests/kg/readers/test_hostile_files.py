"""Attacks on the reader: each is refused or read, in bounded memory, and asks nothing of a network.

Every attack meets a process of its own, for an overflowing stack ends its process. That process may
not touch a socket, and tells its greatest memory.
"""

import bz2
import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from infact.errors import UserError
from infact.kg.readers.format_of_content import format_of
from infact.kg.readers.sources import MAX_TEXT, Source, check_file

MEBIBYTE = 1 << 20
# Over what Python and the libraries take.
MOST_MEMORY = 200  # MiB
DEEP = 100_000
READER = """
import json, os, resource, sys
from pathlib import Path

def watch(event, arguments):
    if event.startswith("socket.") or event in ("urllib.Request", "subprocess.Popen"):
        print("NETWORK", event, arguments)
sys.addaudithook(watch)

from infact.errors import UserError
from infact.kg.ingest import examine, source_blocks
from infact.kg.prefixes import Prefixes
from infact.kg.readers.sources import Source, TripleTemplate

def meet(path):
    template = TripleTemplate("http://e.org/{id}", "rdfs:label", literal="{label}")
    table = path.suffix in (".csv", ".tsv")
    source = Source(path, path.name, triples=(template,) if table else ())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    read = rejected = 0
    first = where = error = ""
    try:
        examine(source)
        for block in source_blocks(source, 0, Prefixes()):
            read += block.read
            rejected += len(block.rejected)
            for item in block.rejected:
                first = first or f"{item.line}: {item.reason}"
                assert len(item.reason) + len(item.text) < 1000
    except UserError as told:
        error, where = told.what, told.where
        assert len(str(told)) < 1000
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps({"read": read, "rejected": rejected, "first": first, "error": error,
                      "where": where, "mib": (peak - before) >> 10}), flush=True)

for line in sys.stdin:
    child = os.fork()
    if not child:
        meet(Path(line.strip()))
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if status:
        print(json.dumps({"status": status}), flush=True)
"""
RDF = (
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://e.org/">%b'
    b"</rdf:RDF>"
)
STATEMENT = b'<http://e.org/a> <http://e.org/p> "o" .\n'
NESTED = b"<<( <http://e.org/a> <http://e.org/p> "


def entities(declared: bytes, used: bytes) -> bytes:
    return b"<!DOCTYPE r [%b]>\n" % declared + RDF % (b"<e:T><e:p>%b</e:p></e:T>" % used)


def laughs() -> bytes:
    """The first of its kind: a billion times "lol"."""
    rules = [b'<!ENTITY l0 "lol">']
    rules += [b'<!ENTITY l%d "%b">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10)]
    return entities(b"".join(rules), b"&l9;")


Read = Callable[[str, bytes], dict[str, Any]]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    """What a process of its own makes of a file with this name and content."""
    folder = tmp_path_factory.mktemp("hostile")
    command = [sys.executable, "-c", READER]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        asked, answers = reader.stdin, reader.stdout

        def read_file(name: str, content: bytes) -> dict[str, Any]:
            path = folder / name
            path.write_bytes(content)
            print(path, file=asked, flush=True)
            line = answers.readline()
            path.unlink()
            assert "NETWORK" not in line
            found: dict[str, Any] = json.loads(line)
            assert "status" not in found, found
            return found

        yield read_file
        asked.close()


REFUSED: dict[str, tuple[str, Callable[[], bytes], str]] = {  # name, content, a word of the error
    "billion laughs": ("a.rdf", laughs, "entities"),
    "quadratic entities": (
        "a.rdf",
        lambda: entities(b'<!ENTITY a "%b">' % (b"x" * 100_000), b"&a;" * 100_000),
        "entities",
    ),
    "many short entities": (
        "a.rdf",
        lambda: entities(b'<!ENTITY a "%b">' % (b"x" * 300), b"&a;" * 1_000_000),
        "entities",
    ),
    "external entity": (
        "a.rdf",
        lambda: entities(b'<!ENTITY a SYSTEM "file:///etc/passwd">', b"&a;"),
        "entities",
    ),
    "remote entity": (
        "a.rdf",
        lambda: entities(b'<!ENTITY a SYSTEM "http://127.0.0.1/a">', b"&a;"),
        "entities",
    ),
    "parameter entity": (
        "a.rdf",
        lambda: entities(b'<!ENTITY % a SYSTEM "http://127.0.0.1/a"> %a;', b""),
        "entities",
    ),
    "deep XML": (
        "a.rdf",
        lambda: RDF % (b"<e:T><e:p>" * DEEP + b"</e:p></e:T>" * DEEP),
        "deep",
    ),
    "deep XML, hidden by attributes": (
        "a.rdf",
        lambda: RDF % (b'<e:T e:q="/>"><e:p>' * DEEP + b"</e:p></e:T>" * DEEP),
        "deep",
    ),
    "deep XML, hidden by comments": (
        "a.rdf",
        lambda: RDF % (b"<e:T><!-- </a></a> --><e:p>" * DEEP + b"</e:p></e:T>" * DEEP),
        "deep",
    ),
    "long text in XML": (
        "a.rdf",
        lambda: RDF % (b"<e:T><e:p>%b</e:p></e:T>" % (b"x" * 2 * MAX_TEXT)),
        "longer",
    ),
    "long comment in XML": (
        "a.rdf",
        lambda: RDF % (b"<!--" * MAX_TEXT + b"-->"),
        "longer",
    ),
    "remote JSON-LD context": (
        "a.jsonld",
        lambda: b'{"@context": "http://127.0.0.1/c", "@id": "http://e.org/a", "x": 1}',
        "network",
    ),
    "imported JSON-LD context": (
        "a.jsonld",
        lambda: b'{"@context": {"@version": 1.1, "@import": "http://127.0.0.1/c"}, "x": 1}',
        "network",
    ),
    "deep JSON-LD": (
        "a.jsonld",
        lambda: b'{"http://e.org/p":' * DEEP + b"1" + b"}" * DEEP,
        "stack",
    ),
    "deep JSON-LD lists": (
        "a.jsonld",
        lambda: b'{"http://e.org/p":' + b'{"@list":[' * DEEP + b"]}" * DEEP + b"}",
        "stack",
    ),
    "deep JSON-LD contexts": (
        "a.jsonld",
        lambda: b'{"@context":' + b"[" * DEEP + b"]" * DEEP + b"}",
        "stack",
    ),
    "gzip bomb": ("a.ttl.gz", lambda: gzip.compress(b" " * (64 * MEBIBYTE)), "times its size"),
    "bzip2 bomb": ("a.ttl.bz2", lambda: bz2.compress(b" " * (64 * MEBIBYTE)), "times its size"),
    "zstandard bomb": (
        "a.ttl.zst",
        lambda: bytes(pyarrow.compress(b" " * (64 * MEBIBYTE), "zstd", asbytes=True)),
        "times its size",
    ),
    "bomb in a bomb": (
        "a.nt.gz",
        lambda: gzip.compress(gzip.compress(b" " * (64 * MEBIBYTE))),
        "UTF-8",
    ),
    "long JSON-LD literal": (
        "a.jsonld",
        lambda: b'{"http://e.org/p": "%b"}' % (b"x" * 2 * MAX_TEXT),
        "longer",
    ),
    "bytes that are no text": (
        "a.nt",
        lambda: STATEMENT * 100_000 + b"\xff" + STATEMENT * 100_000,
        "UTF-8",
    ),
}


@pytest.mark.parametrize("attack", REFUSED)
def test_an_attack_is_refused(attack: str, read: Read) -> None:
    name, content, word = REFUSED[attack]
    found = read(name, content())
    assert word in found["error"]
    assert found["where"].startswith(name)
    assert found["mib"] < MOST_MEMORY


# Name, content, statements, rejections among them, and the first of those.
READ: dict[str, tuple[str, Callable[[], bytes], int, int, str]] = {
    "an import": (
        "a.ttl",
        lambda: b"<http://e.org/a> <http://www.w3.org/2002/07/owl#imports> <http://127.0.0.1/b> .",
        1,
        0,
        "",
    ),
    "an external DTD": (
        "a.rdf",
        lambda: b'<!DOCTYPE r SYSTEM "http://127.0.0.1/a.dtd">' + RDF % b"<e:T/>",
        1,
        0,
        "",
    ),
    "deep Turtle nodes": (
        "a.ttl",
        lambda: (
            b"<http://e.org/a> <http://e.org/p> "
            + b"[ <http://e.org/p> " * DEEP
            + b"1 "
            + b"]" * DEEP
            + b" .\n"
            + STATEMENT
        ),
        2,
        1,
        "1: brackets are nested more than 1,000 deep",
    ),
    "deep Turtle lists": (
        "a.ttl",
        lambda: (
            b"<http://e.org/a> <http://e.org/p> " + b"(" * DEEP + b")" * DEEP + b" .\n" + STATEMENT
        ),
        2,
        1,
        "1: brackets are nested more than 1,000 deep",
    ),
    "deep triple terms": (
        "a.nt",
        lambda: (
            STATEMENT + NESTED * DEEP + b"<http://e.org/b>" + b" )>>" * DEEP + b" .\n" + STATEMENT
        ),
        3,
        1,
        "2: triple terms are nested too deep",
    ),
    "long line": (
        "a.nt",
        lambda: (
            STATEMENT
            + b'<http://e.org/a> <http://e.org/p> "%b" .\n' % (b"x" * 2 * MAX_TEXT)
            + STATEMENT
        ),
        3,
        1,
        "2: the line is longer than 16 MiB",
    ),
    "long Turtle literal": (
        "a.ttl",
        lambda: (
            STATEMENT
            + b'<http://e.org/a> <http://e.org/p> "%b" .\n' % (b"x" * (MAX_TEXT + 1))
            + STATEMENT
        ),
        3,
        1,
        "2: a text or name is longer than 16 MiB",
    ),
    "long Turtle name": (
        "a.ttl",
        lambda: (
            STATEMENT + b"<http://e.org/%b> a <http://e.org/T> .\n" % (b"x" * MAX_TEXT) + STATEMENT
        ),
        3,
        1,
        "2: a text or name is longer than 16 MiB",
    ),
    "long Turtle statement": (
        "a.ttl",
        lambda: STATEMENT + b'<http://e.org/a> <http://e.org/p> "%b" .\n' % (b"x" * 6 * MAX_TEXT),
        2,
        1,
        "2: the statement is longer than 32 MiB; nothing below it is read",
    ),
    "long Turtle list": (
        "a.ttl",
        lambda: (
            STATEMENT
            + b"<http://e.org/a> <http://e.org/p> ( %b ) .\n"
            % (b"<http://e.org/a>\n" * 2 * MEBIBYTE)
            + STATEMENT
        ),
        3,
        1,
        "2: the statement is longer than 32 MiB",
    ),
    "long Turtle text over lines": (
        "a.ttl",
        lambda: STATEMENT + b"<http://e.org/a> <http://e.org/p>\n'''" + b"\n" * 6 * MAX_TEXT,
        2,
        1,
        "3: a text that three quotation marks open is never closed; nothing below it is read",
    ),
    "deep triple terms in Turtle": (
        "a.ttl",
        lambda: (
            STATEMENT
            + b"<http://e.org/a> <http://e.org/p> "
            + b"<<( <http://e.org/a> <http://e.org/p> # >>\n" * DEEP
            + b"<http://e.org/b>"
            + b" )>>" * DEEP
            + b" .\n"
            + STATEMENT
        ),
        3,
        1,
        "2: triple terms of RDF 1.2 are not read",
    ),
    "deep triple terms behind quotation marks": (
        "a.ttl",
        lambda: (
            b"<http://e.org/a> <http://e.org/p> '\"' , " + NESTED * DEEP + b"'\"' .\n" + STATEMENT
        ),
        2,
        1,
        "1: triple terms of RDF 1.2 are not read",
    ),
    "deep triple terms behind an escaped quotation mark": (
        "a.ttl",
        lambda: (
            b"@prefix e: <http://e.org/> .\ne:a e:p e:\\' , "
            + NESTED * DEEP
            + b"<http://e.org/b>"
            + b" )>>" * DEEP
            + b' , "\'" .\n'
            + STATEMENT
        ),
        2,
        1,
        "2: triple terms of RDF 1.2 are not read",
    ),
    "deep triple terms that don't end": (
        "a.trig",
        lambda: (
            b"<http://e.org/a> <http://e.org/p> 1 . <http://e.org/a> <http://e.org/p> "
            + NESTED * DEEP
        ),
        2,
        1,
        "1: triple terms of RDF 1.2 are not read",
    ),
    "a mistake in each statement": (
        "a.ttl",
        lambda: STATEMENT + b"a.\n" * 20_000 + STATEMENT,
        20_002,
        20_000,
        "2: a is not a valid subject or graph name",
    ),
    "many prefixes and mistakes": (
        "a.ttl",
        lambda: (
            b"".join(b"@prefix p%d: <http://e.org/> .\n" % n for n in range(DEEP))
            + STATEMENT
            + b"p1:a p2:b p3 .\n" * 10_000
        ),
        10_001,
        10_000,
        "100002: p3 is not a valid RDF object",
    ),
    "XInclude": (
        "a.rdf",
        lambda: (
            RDF
            % b'<e:T><e:p><i:include xmlns:i="http://www.w3.org/2001/XInclude" href="/etc/passwd"/></e:p></e:T>'
        ),
        1,
        1,
        "1: XML namespaces are required in RDF/XML",
    ),
    "long clause": (
        "a.obo",
        lambda: (
            b"format-version: 1.2\n\n[Term]\nid: e:a\nname: %b\ncomment: b\n"
            % (b"x" * 2 * MAX_TEXT)
        ),
        5,
        1,
        "5: the line is longer than 16 MiB",
    ),
    "long row": (
        "a.csv",
        lambda: b"id,label\na,b\nb,%b\nc,d\n" % (b"x" * 2 * MAX_TEXT),
        3,
        1,
        "3: the row can't be read: the line is longer than 16 MiB",
    ),
    "open quotation marks": (
        "a.csv",
        lambda: b"id,label\n" + b'a,"b\n' * 20_000 + b"c,d\n",
        20_001,
        20_000,
        "2: the row can't be read: ',' expected after '\"'",
    ),
    "many triple terms": (
        "a.ttl",
        lambda: (
            b'<< <http://e.org/a> <http://e.org/p#> "<<#" >> <http://e.org/p> 1 . # a\n' * 2000
            + STATEMENT
        ),
        4001,
        2000,
        "1: triple terms of RDF 1.2 are not read",
    ),
    "a prefix for each statement": (
        "a.ttl",
        lambda: b"".join(
            b"@prefix p%d: <http://e.org/> .\n" % n + STATEMENT for n in range(20_000)
        ),
        20_000,
        0,
        "",
    ),
    "a mistake beside each statement": (
        "a.ttl",
        lambda: (STATEMENT + b"a.\n") * 10_000,
        20_000,
        10_000,
        "2: a is not a valid subject or graph name",
    ),
    "many comments": ("a.ttl", lambda: b"#a\n" * 12 * MEBIBYTE + STATEMENT, 1, 0, ""),
    "many prefixes without full stops": (
        "a.ttl",
        lambda: b"".join(b"PREFIX p%d: <http://e.org/>\n" % n for n in range(DEEP)) + STATEMENT,
        1,
        0,
        "",
    ),
    "many faulty prefixes": (
        "a.ttl",
        lambda: b"@prefix p: <p> .\n" * 10_000 + STATEMENT,
        10_001,
        10_000,
        "1: No scheme found in an absolute IRI; write absolute IRIs, or declare @base at the top of the file",
    ),
    "many prefixes": (
        "a.ttl",
        lambda: b"".join(b"@prefix p%d: <http://e.org/> .\n" % n for n in range(DEEP)) + STATEMENT,
        1,
        0,
        "",
    ),
}


@pytest.mark.parametrize("attack", READ)
def test_an_attack_is_read_around(attack: str, read: Read) -> None:
    name, content, count, rejected, first = READ[attack]
    found = read(name, content())
    assert found["error"] == ""
    assert (found["read"], found["rejected"], found["first"]) == (count, rejected, first)
    assert found["mib"] < MOST_MEMORY


@pytest.mark.parametrize(
    "text",
    [
        b"@prefix e: <http://e.org/> .\n" + b"\n" * 60_000,
        b'<a:a> <a:b> "x"' + b" " * 60_000 + b"x\n",
        b"@prefix e: <http://e.org/> .\n" + b"graph " * 10_000,
        b'<a:a> <a:b> "' + b"\\a" * 30_000,
        b"_:" + b"a" * 60_000,
    ],
)
def test_telling_a_format_goes_over_the_text_once(text: bytes) -> None:
    # Backtracking took minutes; a test that hangs is told by its runner.
    assert format_of(text) in ("", "ttl")


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.nt")
    (tmp_path / "circle.nt").symlink_to("circle.nt")
    (tmp_path / "nowhere.nt").symlink_to("missing.nt")
    for path, word in (
        (tmp_path / "pipe.nt", "pipe"),
        (Path("/dev/zero"), "device"),
        (tmp_path, "folder"),
        (tmp_path / "circle.nt", "opened"),
        (tmp_path / "nowhere.nt", "no such file"),
        (tmp_path / "a.nt" / "b.nt", "no such file"),
        (tmp_path / ("a" * 300), "opened"),
        (tmp_path / "a\0b", "opened"),
    ):
        with pytest.raises(UserError, match=word):
            check_file(Source(path, path.name))
