"""`infact link TEXT… --out FILE`: the same output however it is made; stopped, resumed, and refused."""

import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from infact.errors import UserError
from infact.kg.corpora.written_mentions import FORMATS
from infact.kg.linking.text_linking import LinkerSettings
from infact.pipeline.console import Console
from infact.pipeline.linking import batches, link_documents, processes, unfinished
from infact.pipeline.linking.link_documents import DocumentsToLink
from infact.pipeline.linking.linked_batch import LinkedBatch
from infact.pipeline.linking.unfinished import UnfinishedRun

from ...conftest import COMMAND

DOCUMENTS = 1500  # of the runs that are stopped: 15 batches
SENTENCES = ("Gout on Mercury. ", "Podagra, a joint disease. ", "日本 \U0001f9ec. ", "Nothing. ")


def make_corpus(folder: Path) -> Path:
    """Texts in every format, some of which can't be read."""
    folder.mkdir()
    rows = [{"id": n, "text": SENTENCES[n % 4] * (n % 7)} for n in range(60)]
    lines = "".join(json.dumps(row) + "\n" for row in rows[:20]) + "no JSON\n"
    (folder / "a.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    pq.write_table(pa.Table.from_pylist(rows[20:40]), folder / "b.parquet")
    for row in rows[40:50]:
        (folder / f"c{row['id']}.txt").write_text(str(row["text"]), encoding="utf-8")
    (folder / "d.txt").write_bytes(b"\x89PNG\r\n\x1a\n\0")
    (folder / "e.pubtator").write_text("".join(f"{n}|t|Gout {n}\n\n" for n in range(10)))
    (folder / "readme.md").write_text("no text")
    return folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_corpus(tmp_path_factory.mktemp("corpus") / "texts")


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH_DOCUMENTS", 7)


@pytest.fixture
def link(graph_folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, int]]:
    """Links texts, and gives what is told to machines."""

    def run(texts: Path, out: Path, **more: object) -> dict[str, int]:
        asked = DocumentsToLink(LinkerSettings(graph_folder), (str(texts),), out, **more)  # type: ignore[arg-type]
        link_documents.link_documents(asked, Console(json_wanted=True))
        told: dict[str, int] = json.loads(capsys.readouterr().out)
        return told

    return run


Link = Callable[..., dict[str, int]]


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_everything_is_counted_and_told(link: Link, corpus: Path, tmp_path: Path) -> None:
    told = link(corpus, tmp_path / "m.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "m.jsonl").open(encoding="utf-8")]
    mentions = [mention for row in rows for mention in row["mentions"]]
    assert len(rows) == told["documents"] == 60
    assert sum(row["characters"] for row in rows) == told["characters"]
    assert len(mentions) == told["mentions"] == told["linked"] + told["nil"]
    assert sum(mention["iri"] is None for mention in mentions) == told["nil"]
    assert (told["rejected"], told["passed_over"], told["resumed"]) == (2, 1, 0)
    for name in ("seconds", "documents_per_second", "index_seconds", "peak_mib"):
        assert told[name] > 0
    lines = [json.loads(line) for line in (tmp_path / "m.jsonl.rejected.jsonl").open()]
    assert {(Path(line["place"]).name, line["reason"]) for line in lines} == {
        ("a.jsonl.gz:21", "this isn't JSON: Expecting value"),
        ("d.txt", "it is not UTF-8: byte 0 is 0x89"),
        ("readme.md", "passed over: .md, which is no format of texts"),
    }
    assert left(tmp_path) == ["m.jsonl", "m.jsonl.documents.arrow", "m.jsonl.rejected.jsonl"]
    assert [row["document"] for row in rows[:21]] == [str(n) for n in range(21)]
    assert rows[40]["document"] == "c40.txt"


@pytest.mark.parametrize("format", FORMATS)
def test_several_processes_make_what_one_makes(
    link: Link, corpus: Path, tmp_path: Path, format: str
) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    assert link(corpus, one, format=format, workers=1)["documents"] == 60
    assert link(corpus, two, format=format, workers=2)["documents"] == 60
    assert one.read_bytes() == two.read_bytes()


def test_processes_that_are_not_forked_make_the_same(
    link: Link, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    link(corpus, one)
    monkeypatch.setattr(processes.sys, "platform", "elsewhere")
    link(corpus, two, workers=2)
    assert one.read_bytes() == two.read_bytes()


def test_a_process_that_the_system_ends_is_told(
    link: Link, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*given: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(processes, "link_batch", end)
    with pytest.raises(UserError, match="ended by the system"):
        link(corpus, tmp_path / "m.jsonl", workers=2)


def test_no_torch_is_loaded(graph_folder: Path, corpus: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from infact.pipeline.cli import app; app(sys.argv[1:], standalone_mode=False); "
        "print(sorted({'torch', 'transformers', 'spacy'} & set(sys.modules)))"
    )
    options = ["--graph", str(graph_folder), "--out", str(tmp_path / "m.parquet"), "--json"]
    command = [sys.executable, "-c", code, "link", str(corpus), *options]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "[]"


class StoppedError(Exception):
    """Stands for a kill: nothing of the run is tidied up behind it."""


@pytest.fixture(scope="module")
def stopped(
    corpus: Path, graph_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, bytes]:
    """The folder of a run that was stopped after its fifth batch, and what a whole run makes."""
    folder = tmp_path_factory.mktemp("stopped")
    asked = DocumentsToLink(LinkerSettings(graph_folder), (str(corpus),), folder / "m.jsonl")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, "BATCH_DOCUMENTS", 7)
        link_documents.link_documents(asked, Console())
        whole = (folder / "m.jsonl").read_bytes()
        for path in folder.iterdir():
            path.unlink()
        take = UnfinishedRun.take

        def stop(run: UnfinishedRun, *given: object) -> None:
            if any(run.folder.glob("batch-5")):
                raise StoppedError
            take(run, *given)  # type: ignore[arg-type]

        patch.setattr(UnfinishedRun, "take", stop)
        with pytest.raises(StoppedError):
            link_documents.link_documents(asked, Console())
    assert left(folder) == ["m.jsonl.partial"]
    return folder, whole


@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(journal=st.integers(0, 3000), tail=st.integers(0, 500), garbage=st.binary(max_size=20))
def test_a_run_goes_on_wherever_it_was_killed(
    link: Link,
    stopped: tuple[Path, bytes],
    tmp_path_factory: pytest.TempPathFactory,
    journal: int,
    tail: int,
    garbage: bytes,
) -> None:
    """The journal may break off anywhere; of the parts at least what it tells is there, and more."""
    before, whole = stopped
    folder = tmp_path_factory.mktemp("resumed")
    shutil.copytree(before / "m.jsonl.partial", partial := folder / "m.jsonl.partial")
    (partial / "batch-3").write_bytes(garbage)
    lines = (partial / "journal.jsonl").read_bytes()[:journal]
    (partial / "journal.jsonl").write_bytes(lines)
    done = [json.loads(line) for line in lines.splitlines(keepends=True) if line.endswith(b"\n")]
    length = sum(line["bytes"] for line in done)
    parts = (partial / "parts").read_bytes()
    (partial / "parts").write_bytes(parts[: length + tail] + garbage)
    corpus = json.loads((partial / "job.json").read_text())["texts"][0]
    told = link(Path(corpus), folder / "m.jsonl")
    assert told["resumed"] == sum(line["documents"] for line in done)
    assert told["documents"] == 60
    assert (folder / "m.jsonl").read_bytes() == whole
    assert left(folder) == ["m.jsonl", "m.jsonl.documents.arrow", "m.jsonl.rejected.jsonl"]


def resumable(stopped: tuple[Path, bytes], folder: Path) -> Path:
    shutil.copytree(stopped[0] / "m.jsonl.partial", folder / "m.jsonl.partial")
    return folder / "m.jsonl"


def test_lost_parts_or_other_settings_start_anew(
    link: Link, stopped: tuple[Path, bytes], corpus: Path, tmp_path: Path
) -> None:
    out = resumable(stopped, tmp_path)
    (tmp_path / "m.jsonl.partial" / "parts").unlink()
    assert link(corpus, out)["resumed"] == 0
    assert out.read_bytes() == stopped[1]
    out.unlink()
    resumable(stopped, tmp_path)
    assert link(corpus, out, format="pubtator")["resumed"] == 0
    out.unlink()
    resumable(stopped, tmp_path)
    assert link(corpus, out, restart=True)["resumed"] == 0
    assert out.read_bytes() == stopped[1]


@pytest.fixture
def own(graph_folder: Path, tmp_path: Path) -> Path:
    """A corpus that a test may change."""
    return make_corpus(tmp_path / "texts")


def touch(path: Path) -> None:
    os.utime(path, ns=(1, 1))


CHANGES: dict[str, Callable[[Path], object]] = {
    "is another file than it was": lambda folder: touch(folder / "c41.txt"),
    "is new": lambda folder: (folder / "zz.txt").write_text("new"),
    "is gone": lambda folder: (folder / "e.pubtator").unlink(),
    "is new or gone": lambda folder: (folder / "aa.txt").write_text("new"),
}


@pytest.mark.parametrize("how", CHANGES)
def test_a_corpus_that_changes_under_a_run_is_told(
    link: Link, own: Path, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the first batch; and the next run tells it again, until it is asked to begin anew."""
    take, changed = UnfinishedRun.take, []

    def change(run: UnfinishedRun, *given: object) -> None:
        take(run, *given)  # type: ignore[arg-type]
        if not changed:
            changed.append(CHANGES[how](own))

    monkeypatch.setattr(UnfinishedRun, "take", change)
    with pytest.raises(UserError, match="changed since this run began"):
        link(own, tmp_path / "m.jsonl")
    assert left(tmp_path) == ["m.jsonl.partial", "texts"]
    with pytest.raises(UserError, match=how) as told:
        link(own, tmp_path / "m.jsonl")
    assert "--restart" in str(told.value)
    link(own, tmp_path / "m.jsonl", restart=True)
    assert left(tmp_path) == [
        "m.jsonl",
        "m.jsonl.documents.arrow",
        "m.jsonl.rejected.jsonl",
        "texts",
    ]


def test_a_text_that_changes_and_keeps_its_time_is_told(
    link: Link, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(run: UnfinishedRun, *given: object) -> None:
        if any(run.folder.glob("batch-8")):
            raise StoppedError
        take(run, *given)  # type: ignore[arg-type]

    take = UnfinishedRun.take
    with monkeypatch.context() as patch:
        patch.setattr(UnfinishedRun, "take", stop)
        with pytest.raises(StoppedError):
            link(own, tmp_path / "m.jsonl")
    path = own / "c41.txt"
    before = path.stat()
    path.write_text(path.read_text(encoding="utf-8").replace("P", "B"), encoding="utf-8")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(UserError, match="says something else than it did"):
        link(own, tmp_path / "m.jsonl")


@pytest.mark.parametrize(
    ("out", "words"),
    [
        ("texts/m.jsonl", "among the texts"),
        ("m.csv", "tells no format"),
        ("nowhere/m.jsonl", "no such folder"),
        ("texts", "tells no format"),
        ("folder.jsonl", "this is a folder"),
    ],
)
def test_outputs_that_are_refused(
    link: Link, own: Path, tmp_path: Path, out: str, words: str
) -> None:
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(UserError, match=words):
        link(own, tmp_path / out)
    assert left(tmp_path) == ["folder.jsonl", "texts"]


def test_texts_none_of_which_can_be_read(link: Link, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"body": "x"}\n' * 3)
    with pytest.raises(UserError, match=r"all documents were rejected.*no 'text'; it has body"):
        link(tmp_path / "a.jsonl", tmp_path / "m.jsonl")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.md").write_text("x")
    with pytest.raises(UserError, match="no file is taken for texts"):
        link(tmp_path / "texts", tmp_path / "m.jsonl")
    (tmp_path / "empty.txt").write_text("")
    assert link(tmp_path / "empty.txt", tmp_path / "m.jsonl")["documents"] == 1


def test_more_text_than_one_docbin_holds_is_told(
    link: Link, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        link_documents.FORMATS,  # type: ignore[arg-type]
        "spacy",
        link_documents.MentionFormat(
            "spacy", ".spacy", FORMATS["spacy"].write, FORMATS["spacy"].join, 100
        ),
    )
    with pytest.raises(UserError, match="too many for one file of spacy"):
        link(corpus, tmp_path / "m.spacy")


# As processes, really killed.


def big_corpus(path: Path) -> Path:
    with path.open("w", encoding="utf-8") as file:
        for number in range(DOCUMENTS):
            text = "".join(SENTENCES) + "Nothing at all. " * 160
            file.write(json.dumps({"id": number, "text": text}) + "\n")
    return path


@pytest.fixture(scope="module")
def command(graph_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path]:
    folder = tmp_path_factory.mktemp("killed")
    texts = big_corpus(folder / "a.jsonl")
    options = ["--graph", str(graph_folder), "--out", str(folder / "m.jsonl"), "--workers", "2"]
    return [*COMMAND, "link", str(texts), *options], folder


def started(arguments: list[str], folder: Path) -> "subprocess.Popen[bytes]":
    """A run that has parts on disk."""
    with (folder / "said").open(
        "w"
    ) as said:  # no pipe, which a process that is left would keep open
        running = subprocess.Popen(arguments, stdout=said, stderr=said, start_new_session=True)
    journal = folder / "m.jsonl.partial" / "journal.jsonl"
    while not (journal.exists() and journal.stat().st_size) and running.poll() is None:
        time.sleep(0.01)
    return running


def children_gone(running: "subprocess.Popen[bytes]") -> bool:
    """Whether no process of its session is left, soon; then none is in any case."""
    for _ in range(500):
        try:
            os.killpg(running.pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGKILL)
    return False


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_stopped_goes_on_to_the_same_output(
    command: tuple[list[str], Path], sent: signal.Signals, link: Link, tmp_path: Path
) -> None:
    arguments, folder = command
    for path in folder.glob("m.jsonl*"):
        path.unlink()
    running = started(arguments, folder)
    running.send_signal(sent)
    running.wait()
    said = (folder / "said").read_text()
    (folder / "said").unlink()
    assert running.returncode in (-signal.SIGKILL, 130), said
    assert "Traceback" not in said
    assert children_gone(running)
    assert left(folder) in (
        ["a.jsonl", "m.jsonl.lock", "m.jsonl.partial"],
        ["a.jsonl", "m.jsonl.partial"],
    )
    again = subprocess.run([*arguments, "--json"], capture_output=True, text=True, check=True)
    told = json.loads(again.stdout)
    assert told["documents"] == DOCUMENTS
    assert told["resumed"] > 0
    assert left(folder) == ["a.jsonl", "m.jsonl", "m.jsonl.documents.arrow"]
    rows = [json.loads(line) for line in (folder / "m.jsonl").open(encoding="utf-8")]
    assert [row["document"] for row in rows] == [str(number) for number in range(DOCUMENTS)]
    assert len({json.dumps(row["mentions"]) for row in rows}) == 1


def test_standard_input_and_a_second_run_at_the_same_time(
    graph_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "m.jsonl"
    arguments = [*COMMAND, "link", "-", "--graph", str(graph_folder), "--out", str(out)]
    running = subprocess.Popen(arguments, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    assert running.stdin is not None
    while not (tmp_path / "m.jsonl.partial").exists():
        time.sleep(0.01)
    second = subprocess.run(arguments, capture_output=True, text=True, input="x")
    assert second.returncode == 2
    assert "another run is making" in second.stderr
    running.stdin.write(b'{"id": "a", "text": "gout"}\n')
    running.stdin.close()
    assert running.wait() == 0
    (row,) = map(json.loads, out.open(encoding="utf-8"))
    assert (row["document"], row["source"]) == ("a", "standard input:1")
    assert [mention["surface"] for mention in row["mentions"]] == ["gout"]


def taken(run: UnfinishedRun, text: bytes) -> None:
    file = run.batch_file(0)
    file.write_bytes(text)
    run.take(LinkedBatch("digest", bytes=len(text), documents=1), file)


def test_no_line_is_written_twice_where_a_flush_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = UnfinishedRun(tmp_path / "m.jsonl", {"a": 1}, restart=False)
    run.hold_to([])
    taken(run, b"one")

    calls: list[int] = []

    def stop(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:  # the first is for the parts
            raise KeyboardInterrupt

    monkeypatch.setattr(unfinished, "SECONDS_BETWEEN_FLUSHES", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", stop)
        with pytest.raises(KeyboardInterrupt):
            taken(run, b"two")
    run.close()
    again = UnfinishedRun(tmp_path / "m.jsonl", {"a": 1}, restart=False)
    assert again.resumed
    assert [made.bytes for made in again.done()] == [3, 3]
    assert again.parts.read_bytes() == b"onetwo"


def test_a_run_that_took_nothing_leaves_nothing(tmp_path: Path) -> None:
    run = UnfinishedRun(tmp_path / "m.jsonl", {"a": 1}, restart=False)
    run.hold_to([])
    run.close()
    assert left(tmp_path) == []
    run = UnfinishedRun(tmp_path / "m.jsonl", {"a": 1}, restart=False)
    taken(run, b"one")
    run.close()
    other = UnfinishedRun(tmp_path / "m.jsonl", {"a": 2}, restart=False)
    assert (other.resumed, other.other_job) == (False, True)
