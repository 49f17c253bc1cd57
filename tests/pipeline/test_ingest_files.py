"""`infact ingest FILE…`, as a user runs it; stopped at any moment, the old graph or the new one."""

import fcntl
import json
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest
from infact.errors import UserError
from infact.kg.graph import KnowledgeGraph
from infact.kg.ingest import GraphSettings, ingest
from infact.kg.prefixes import Prefixes
from infact.kg.readers.sources import Source, TripleTemplate
from infact.kg.storage.snapshots import CURRENT, SNAPSHOTS
from infact.pipeline.chosen_graph import ChosenGraph
from infact.pipeline.command_options import declared_prefixes, language_tags
from infact.pipeline.console import Console
from infact.pipeline.ingest_files import FilesToIngest, ingest_files
from infact.pipeline.ingest_stage import say_summary
from infact.pipeline.show_entity import show_entity

from ..conftest import COMMAND

LINE = '<http://e/{0}> <http://www.w3.org/2000/01/rdf-schema#label> "{1} {0}" .\n'
KILLS, NAMES = 12, 4_000


def write(path: Path, word: str, count: int = 3) -> str:
    path.write_text("".join(LINE.format(number, word) for number in range(count)))
    return str(path)


def asked(*files: str, out: Path, format: str = "", strict: bool = False) -> FilesToIngest:
    return FilesToIngest(files, out, format, {}, strict)


def labels(out: Path) -> set[str]:
    graph = KnowledgeGraph.open(out)
    return {graph.label(entity) for entity in range(graph.entity_count)}


def test_json_is_one_object_that_counts_everything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.nt"
    write(file, "thing")
    file.write_text(file.read_text() + "<bad line\n" + LINE.format(0, "thing"))
    ingest_files(asked(str(file), out=tmp_path / "graph"), Console(json_wanted=True))
    found = json.loads(capsys.readouterr().out)
    assert (found["entities"], found["literals"], found["triples"]) == (3, 3, 0)
    assert (found["read"], found["duplicate"], found["rejected"]) == (5, 1, 1)
    assert found["made"] is True
    assert found["seconds"] > 0
    assert found["peak_mib"] > 0


def test_the_same_files_are_kept_and_changed_ones_are_a_new_snapshot(tmp_path: Path) -> None:
    out, file = tmp_path / "graph", tmp_path / "a.nt"
    write(file, "old")
    ingest_files(asked(str(file), out=out), Console())
    first = KnowledgeGraph.open(out).directory
    made = (first / "entities.parquet").stat().st_mtime_ns
    ingest_files(asked(str(file), out=out), Console())
    assert (first / "entities.parquet").stat().st_mtime_ns == made
    write(file, "new")
    ingest_files(asked(str(file), out=out), Console())
    assert labels(out) == {"new 0", "new 1", "new 2"}
    assert first.exists()
    write(file, "newer")
    ingest_files(asked(str(file), out=out), Console())
    assert not first.exists()
    assert len(list((out / "ingest").iterdir())) == 2


def test_an_earlier_snapshot_becomes_current_again(tmp_path: Path) -> None:
    out = tmp_path / "graph"
    old, new = write(tmp_path / "old.nt", "old"), write(tmp_path / "new.nt", "new")
    for file in (old, new, old):
        ingest_files(asked(file, out=out), Console())
    assert labels(out) == {"old 0", "old 1", "old 2"}


def test_what_a_killed_run_left_is_removed_unless_another_is_at_work_there(tmp_path: Path) -> None:
    out = tmp_path / "graph"
    left, used = (out / "ingest" / f"{key}.partial" for key in ("left", "used"))
    for folder in (left, used):
        folder.mkdir(parents=True)
        folder.with_suffix(".lock").touch()
    with used.with_suffix(".lock").open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        ingest_files(asked(write(tmp_path / "a.nt", "thing"), out=out), Console())
    assert not left.exists()
    assert used.exists()


def test_standard_input_needs_no_name_and_no_format(tmp_path: Path) -> None:
    words = [*COMMAND, "ingest", "-", "--out", str(tmp_path / "graph"), "--json"]
    text = LINE.format(7, "piped").encode()
    done = subprocess.run(words, input=text, capture_output=True, check=True)
    assert json.loads(done.stdout)["entities"] == 1
    assert labels(tmp_path / "graph") == {"piped 7"}
    graph = KnowledgeGraph.open(tmp_path / "graph")
    assert graph.sources[0]["name"] == "standard input"


def test_ingest_needs_neither_torch_nor_a_project(tmp_path: Path) -> None:
    write(tmp_path / "a.nt", "thing")
    code = (
        "import sys; sys.argv = ['infact', 'ingest', 'a.nt', '--out', 'g']\n"
        "from infact.pipeline.cli import app\n"
        "app(standalone_mode=False)\n"
        "assert not {'torch', 'transformers', 'spacy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


@pytest.mark.parametrize(
    ("files", "format", "told"),
    [
        (("none.nt",), "", "there is no such file"),
        ((".",), "", "this is a folder"),
        (("words.txt",), "", "the format 'txt' is not known"),
        (("words",), "", "neither the name nor the first lines tell the format"),
        (("a.nt",), "turtles", "the format 'turtles' is not known"),
        (("empty.nt",), "", "the graph is empty"),
        (("table.csv",), "", "a table needs templates"),
        (("-", "-"), "", "standard input can be read once"),
    ],
)
def test_what_cannot_be_read_is_said_in_words(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    files: tuple[str, ...],
    format: str,
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write(Path("a.nt"), "thing")
    for name in ("words.txt", "words"):
        Path(name).write_text("just words\n")
    Path("empty.nt").write_text("# nothing\n")
    Path("table.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=told):
        ingest_files(asked(*files, out=Path("graph"), format=format), Console())
    assert not Path("graph/current").exists()


def test_strict_stops_at_the_first_rejected_line(tmp_path: Path) -> None:
    (tmp_path / "a.nt").write_text("<bad\n")
    with pytest.raises(UserError, match=r"a\.nt:1"):
        ingest_files(asked(str(tmp_path / "a.nt"), out=tmp_path / "g", strict=True), Console())


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    file = write(tmp_path / "a.nt", "thing")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "one.jpg").touch()
    with pytest.raises(UserError, match="holds something else"):
        ingest_files(asked(file, out=tmp_path / "photos"), Console())
    with pytest.raises(UserError, match="a graph is a folder"):
        ingest_files(asked(file, out=tmp_path / "a.nt"), Console())
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["one.jpg"]


@pytest.mark.parametrize("text", ["ex", "=http://e/", "ex="])
def test_a_faulty_prefix_is_told(text: str) -> None:
    with pytest.raises(UserError, match="a prefix needs a name and an IRI"):
        declared_prefixes([text])


def ingest_and_kill(file: Path, out: Path, wait: float | None) -> float:
    """Kill it `wait` seconds after its snapshot was begun, or right when that is current; these seconds."""

    def unfinished() -> set[Path]:
        return set((out / SNAPSHOTS).glob("*.partial"))

    def is_begun() -> bool:
        return bool(unfinished() - before)

    def is_current() -> bool:
        return (out / CURRENT).read_text() != name

    name, before = (out / CURRENT).read_text(), unfinished()
    with subprocess.Popen(
        [*COMMAND, "ingest", str(file), "--out", str(out)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as running:
        while not is_begun() and running.poll() is None:
            time.sleep(0.001)
        begun = time.monotonic()
        if wait is not None:
            time.sleep(wait)
        while wait is None and not is_current() and running.poll() is None:
            time.sleep(0.001)
        waited = time.monotonic() - begun
        running.kill()
    return waited


def test_killed_at_random_moments_the_old_graph_or_the_new_one(tmp_path: Path) -> None:
    """The first run right when its snapshot is current, the others from their first file on.

    How long is waited follows from what the kills before met, so that some come before the end and some after
    it, however busy the machine is.
    """
    out, file = tmp_path / "graph", tmp_path / "a.nt"
    ingest_files(asked(write(file, "first", NAMES), out=out), Console())
    current, ends = "first", Counter[str]()
    draws, reach = random.Random(0), 0.0
    while ends.total() < KILLS or len(ends) < 2:
        new = f"turn{ends.total()}"
        write(file, new, NAMES)
        if ends:
            ingest_and_kill(file, out, draws.uniform(0, reach))
        else:
            reach = ingest_and_kill(file, out, None)
        (word,) = {label.split()[0] for label in labels(out)}
        assert word in {current, new}
        assert ends or word == new, "what was current before the kill was not after it"
        assert KnowledgeGraph.open(out).entity_count == NAMES
        ends["after" if word == new else "before"] += 1
        reach *= 0.7 if word == new else 1.5
        current = word


def test_texts_in_other_languages_than_the_chosen_ones_are_not_read(tmp_path: Path) -> None:
    file, out = tmp_path / "a.nt", tmp_path / "graph"
    line = LINE.strip().removesuffix(" .")
    file.write_text(
        "".join(f"{line.format(0, word)}@{tag} .\n" for word, tag in (("x", "en"), ("y", "de")))
    )
    for chosen, expected in ((("de",), {"y 0"}), ((), {"x 0"})):  # the label is English first
        ingest_files(FilesToIngest((str(file),), out, "", {}, False, chosen), Console())
        assert labels(out) == expected
    entries = [
        json.loads((folder / "sources.json").read_text())[0]
        for folder in (out / "ingest").iterdir()
        if folder.is_dir()
    ]
    assert sorted((entry["read"], entry["rejected"]) for entry in entries) == [(1, 0), (2, 0)]


@pytest.mark.parametrize("text", ["", "en_GB", "-en"])
def test_a_faulty_language_is_told(text: str) -> None:
    with pytest.raises(UserError, match="no language tag"):
        language_tags([text])


def test_unknown_prefixes_are_told_in_words_and_in_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.csv").write_text("id\nUMLS:1\nUMLS:2\nMESH:1\n")
    row = TripleTemplate("{id}", "rdf:type", object="owl:Class")
    source = Source(tmp_path / "a.csv", "a.csv", triples=(row,))
    settings = GraphSettings(unknown_prefix="keep")
    summary = ingest([source], tmp_path / "graph", settings=settings)
    say_summary(summary, Console())
    assert "2 unknown prefixes: UMLS 2, MESH 1" in capsys.readouterr().out
    assert asdict(summary)["unknown_prefixes"] == {"UMLS": 2, "MESH": 1}


def test_show_says_of_an_alternative_id_what_it_stands_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.obo").write_text(
        "[Term]\nid: HP:1\nname: now\nalt_id: HP:2\n\n"
        "[Term]\nid: HP:3\nname: old\nis_obsolete: true\nreplaced_by: HP:1\n"
    )
    ingest_files(asked(str(tmp_path / "a.obo"), out=tmp_path / "graph"), Console())
    chosen = ChosenGraph(KnowledgeGraph.open(tmp_path / "graph"), Prefixes())
    show_entity(chosen, "HP:2", Console())
    assert "HP:2 is an alternative id of obo:HP_1:\nnow\n" in capsys.readouterr().out
    show_entity(chosen, "HP:3", Console())
    said = capsys.readouterr().out
    assert "old  (deprecated)\n" in said
    assert "  replaced by: now  http://purl.obolibrary.org/obo/HP_1\n" in said


def test_a_file_name_can_not_write_lines_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a\nrejected b.nt:1:1  \x1b[31m\u202egone.nt"
    file.write_text(LINE.format(0, "thing") + "<bad line\n")
    ingest_files(asked(str(file), out=tmp_path / "graph"), Console())
    out = capsys.readouterr().out
    assert not any(line.startswith("rejected b.nt") for line in out.splitlines())
    assert not {"\x1b", "\u202e"} & set(out)
