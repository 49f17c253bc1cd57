"""SPARQL endpoints on loopback: a real Oxigraph server, and one that does what a test says."""

import json
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyoxigraph
import pytest

JSON = "application/sparql-results+json"


def oxigraph() -> str:
    """The command, or the test is skipped."""
    beside = Path(sys.executable).parent / "oxigraph"
    found = str(beside) if beside.exists() else shutil.which("oxigraph")
    if found is None:
        pytest.skip("no command `oxigraph`: pip install oxigraph")
    return found


@contextmanager
def oxigraph_server(folder: Path, data: str) -> Iterator[str]:
    """The query URL of a server that holds these N-Quads."""
    command = oxigraph()
    (folder / "data.nq").write_text(data, encoding="utf-8")
    place = ["--location", str(folder / "store")]
    load = [command, "load", *place, "--file", str(folder / "data.nq")]
    subprocess.run(load, check=True, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    with subprocess.Popen(
        [command, "serve-read-only", *place, "--bind", host], stderr=subprocess.DEVNULL
    ) as server:
        try:
            _wait_for(f"http://{host}/query?query=ASK%7B%7D", server)
            yield f"http://{host}/query"
        finally:
            server.kill()


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert server.poll() is None, "the server ended"
        try:
            urllib.request.urlopen(url, timeout=10).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server doesn't answer")


@dataclass
class Reply:
    """One answer of the stub."""

    body: bytes = b""
    status: int = 200
    type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    announced: int | None = None  # Content-Length, where it isn't the body's
    endless: bool = False


@contextmanager
def stub_server(answer: Callable[[str, dict[str, str]], Reply]) -> Iterator[str]:
    """The URL of a server that answers (query, headers) so."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            query = urllib.parse.parse_qs(self.rfile.read(size).decode())["query"][0]
            reply = answer(query, dict(self.headers))
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.type)
            if not reply.endless:
                self.send_header("Content-Length", str(reply.announced or len(reply.body)))
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(reply.body)
                while reply.endless:
                    self.wfile.write(reply.body)
            except OSError:
                return

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/query"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def capped(
    store: pyoxigraph.Store, rows: int | None = None
) -> Callable[[str, dict[str, str]], Reply]:
    """A store that gives no more rows than that, without a word: as Virtuoso does."""

    def answer(query: str, headers: dict[str, str]) -> Reply:
        results = store.query(query)
        document = json.loads(results.serialize(format=pyoxigraph.QueryResultsFormat.JSON))
        document["results"]["bindings"] = document["results"]["bindings"][:rows]
        return Reply(json.dumps(document).encode())

    return answer
