"""One query over HTTP, with all that can go wrong on the way."""

import base64
import gzip
from collections.abc import Iterator
from itertools import repeat

import pytest
from infact.errors import UserError
from infact.kg.readers import sparql_http
from infact.kg.readers.sparql_http import WAITS, Endpoint, address, is_url

from ...sparql_servers import Reply, stub_server

GOOD = Reply(b"results")


def asked(replies: Iterator[Reply]) -> tuple[bytes, list[float], list[str]]:
    """What one query reads from these replies, the seconds waited, and what the user hears."""
    waited: list[float] = []
    said: list[str] = []
    with stub_server(lambda query, headers: next(replies)) as url:
        endpoint = Endpoint(address(url), said.append, waited.append)
        return endpoint.ask("ASK {}", lambda body: body.read()), waited, said


def test_a_busy_server_is_asked_again_when_it_says() -> None:
    replies = iter([Reply(status=503, headers={"Retry-After": "30"}), Reply(status=429), GOOD])
    body, waited, said = asked(replies)
    assert body == b"results"
    assert waited == [30, WAITS[1]]
    assert "503" in said[0]
    assert "30 s" in said[0]


def test_a_server_that_stays_busy_is_given_up() -> None:
    with pytest.raises(UserError, match="503"):
        asked(repeat(Reply(status=503)))


def test_nobody_waits_for_an_hour() -> None:
    with pytest.raises(UserError, match="asks to wait 3600 seconds"):
        asked(repeat(Reply(status=503, headers={"Retry-After": "3600"})))


def test_an_answer_that_breaks_off_is_asked_for_again() -> None:
    body, waited, _ = asked(iter([Reply(b"resu", announced=400), GOOD]))
    assert (body, waited) == (b"results", [WAITS[0]])


def test_gzip_is_read_and_a_cut_one_asked_for_again() -> None:
    packed = gzip.compress(b"results" * 1000)
    headers = {"Content-Encoding": "gzip"}
    body, waited, _ = asked(
        iter([Reply(packed[:-20], headers=headers), Reply(packed, headers=headers)])
    )
    assert body == b"results" * 1000
    assert len(waited) == 1


def test_an_answer_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparql_http, "LARGEST_RESPONSE", 1 << 20)
    with pytest.raises(UserError, match="grew beyond"):
        asked(iter([Reply(b"x" * 4096, endless=True)]))
    bomb = Reply(gzip.compress(bytes(1 << 22)), headers={"Content-Encoding": "gzip"})
    with pytest.raises(UserError, match="grew beyond"):
        asked(iter([bomb]))


def test_a_page_of_html_is_no_result() -> None:
    page = b"\n <html>  Welcome\x1b[31m\n<p>more"
    with pytest.raises(UserError, match="text/html") as caught:
        asked(iter([Reply(page, type="text/html")]))
    assert caught.value.fix == "it begins: <html> Welcome\x1b[31m"


@pytest.mark.parametrize(("status", "told"), [(400, "it says: syntax"), (401, "user and password")])
def test_a_refusal_is_told_with_its_first_line(status: int, told: str) -> None:
    with pytest.raises(UserError, match=f"answers {status}") as caught:
        asked(iter([Reply(b"syntax error\nat 1", status, "text/plain")]))
    assert told in caught.value.fix


def test_a_redirect_on_the_same_host_is_followed_once_for_all() -> None:
    replies = iter([Reply(status=301, headers={"Location": "/sparql"}), GOOD, GOOD])
    with stub_server(lambda query, headers: next(replies)) as url:
        endpoint = Endpoint(address(url))
        for _ in range(2):
            assert endpoint.ask("ASK {}", lambda body: body.read()) == b"results"
    assert endpoint.requests == 3


@pytest.mark.parametrize(
    "location",
    [
        "http://example.org/query",
        "https://127.0.0.1/",
        "file:///etc/passwd",
        "//localhost/query",
        "",
    ],
)
def test_a_redirect_elsewhere_is_refused(location: str) -> None:
    with pytest.raises(UserError, match="elsewhere"):
        asked(iter([Reply(status=302, headers={"Location": location})]))


def test_redirects_end() -> None:
    with pytest.raises(UserError, match="without end"):
        asked(repeat(Reply(status=302, headers={"Location": "/query"})))


def test_who_was_never_reached_is_not_waited_for() -> None:
    waited: list[float] = []
    with stub_server(lambda query, headers: GOOD) as url:
        pass
    with pytest.raises(UserError, match="can't be reached"):
        Endpoint(address(url), sleep=waited.append).ask("ASK {}", lambda body: body.read())
    assert waited == []


def test_a_password_is_sent_and_never_shown() -> None:
    sent: list[str] = []

    def answer(query: str, headers: dict[str, str]) -> Reply:
        sent.append(headers["Authorization"])
        return Reply(status=404)

    with stub_server(answer) as url:
        at = address(url.replace("://", "://me:s%C3%A9cret%40@") + "?key=hidden#here")
        with pytest.raises(UserError) as caught:
            Endpoint(at).ask("ASK {}", lambda body: body.read())
    assert sent == ["Basic " + base64.b64encode("me:sécret@".encode()).decode()]
    assert caught.value.where == url + "?…"
    assert not any(word in str(caught.value) for word in ("cret", "hidden", "me:"))


@pytest.mark.parametrize(
    "text", ["http://", "http://a b/", "http://h:port/", "http://[::1", "https:///x"]
)
def test_what_is_no_url(text: str) -> None:
    with pytest.raises(UserError, match="no URL"):
        address(text)


def test_a_url_and_a_path() -> None:
    assert all(map(is_url, ["http://a", "HTTPS://a/b"]))
    assert not any(map(is_url, ["a.ttl", "http:a", "file:///x", "ftp://x", "x/http://"]))
    assert address("HTTP://[::1]:80/x").url == "http://[::1]:80/x"
