"""One SPARQL query over HTTP, asked until it is answered whole (SPARQL 1.1 Protocol, section 2.1).

The server is not trusted: an answer is bounded in bytes and time, redirects stay on the same host,
and a password in the address is sent but never shown.
"""

import base64
import email.utils
import gzip
import http.client
import io
import re
import time
import urllib.error
import urllib.parse
import urllib.request
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import IO, Any, TypeVar, cast

from ...errors import UserError

RESULTS = "application/sparql-results+json"
RESULT_TYPES = (RESULTS, "application/json")
BUSY = (429, 502, 503, 504)  # worth asking again
MOVED = (301, 302, 303, 307, 308)
WAITS = (1.0, 2.0, 4.0, 8.0, 16.0)  # seconds between attempts
LONGEST_WAIT = 120.0  # seconds that a server may ask us to wait
SILENCE = 300.0  # seconds without a byte
LONGEST_RESPONSE = 3600.0  # seconds
LARGEST_RESPONSE = 4 << 30  # bytes, decompressed
MOST_REDIRECTS = 5
SHOWN = 160  # characters of a server's words

Result = TypeVar("Result")


@dataclass(frozen=True)
class Address:
    """Where an endpoint is.

    Attributes:
        url: what is requested, without user and password.
        shown: what may be printed and stored: without password, and without the values after "?".
        authorization: value of the HTTP header; empty for none.
        login: how a user gives user and password, told where the server asks for them.
    """

    url: str
    shown: str
    authorization: str
    login: str = "write user and password into it: https://user:password@host/"


def is_url(text: str) -> bool:
    """Whether a source is named by an address on the network rather than by a path."""
    return re.match(r"https?://", text, re.IGNORECASE) is not None


def address(text: str) -> Address:
    """An address as the user writes it, `https://user:password@host/path` included.

    Raises:
        UserError: no host, or characters that no URL holds.
    """
    try:
        parts = urllib.parse.urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or not is_url(text) or not re.fullmatch(r"[!-~]+", text):
        # The text isn't shown: it may hold a password.
        fix = "write https://host/path, with other characters percent-encoded"
        raise UserError("the address of the endpoint is no URL", "among the sources", fix)
    place = f"[{host}]" if ":" in host else host
    place += f":{port}" if port else ""
    plain = parts._replace(scheme=parts.scheme.lower(), netloc=place, fragment="")
    shown = plain._replace(query="…" if plain.query else "")
    authorization = ""
    if parts.username is not None:
        user, password = (urllib.parse.unquote(of or "") for of in (parts.username, parts.password))
        authorization = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    return Address(plain.geturl(), shown.geturl(), authorization)


class UnansweredError(Exception):
    """The server was busy or the connection broke: asking again may help.

    Attributes:
        wait: seconds that the server asked us to wait; 0 when it didn't.
        reached: False when no connection came about at all.
    """

    def __init__(self, reason: str, wait: float = 0.0, reached: bool = True) -> None:
        super().__init__(reason)
        self.wait = wait
        self.reached = reached


class Endpoint:
    """Queries to one server, one after the other.

    Args:
        at: where it is.
        say: hears why it takes longer.
        sleep: waits that many seconds.
    """

    def __init__(
        self,
        at: Address,
        say: Callable[[str], None] = lambda text: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.requests = 0
        self._at = at
        self._say = say
        self._sleep = sleep
        self._answered = False
        self._opener = urllib.request.build_opener(_NoRedirects)

    @property
    def shown(self) -> str:
        return self._at.shown

    def ask(self, query: str, read: Callable[[IO[bytes]], Result]) -> Result:
        """What `read` makes of the results (SPARQL 1.1 Query Results JSON Format).

        `read` is called anew when the connection breaks before it is done.

        Raises:
            UserError: the server refuses, answers with something else, or can't be reached.
        """
        for wait in (*WAITS, None):
            try:
                with self._open(query) as body:
                    result = read(body)
                self._answered = True
                return result
            except UnansweredError as error:
                if wait is None or not (error.reached or self._answered):
                    raise self._error(str(error), "look at the address, or try later") from None
                if error.wait > LONGEST_WAIT:
                    fix = f"it asks to wait {error.wait:.0f} seconds"
                    raise self._error(str(error), fix) from None
                seconds = max(wait, error.wait)
                self._say(f"{self.shown}: {error}; asking again in {seconds:.0f} s")
                self._sleep(seconds)
        raise AssertionError("the last attempt returns or raises")

    def _open(self, query: str) -> IO[bytes]:
        for _ in range(MOST_REDIRECTS):
            try:
                response = self._request(query)
            except urllib.error.HTTPError as error:
                with error:
                    if error.code not in MOVED:
                        raise self._refusal(error) from None
                    self._move(error.headers.get("Location") or "")
            else:
                return self._body(response)
        raise self._error("the server redirects without end", "look at the address")

    def _request(self, query: str) -> http.client.HTTPResponse:
        self.requests += 1
        headers = {
            "Accept": RESULTS,
            "Accept-Encoding": "gzip",
            "Content-Type": "application/x-www-form-urlencoded",
            "User-Agent": "infact",
        }
        if self._at.authorization:
            headers["Authorization"] = self._at.authorization
        data = urllib.parse.urlencode({"query": query}).encode()
        request = urllib.request.Request(self._at.url, data, headers, method="POST")
        try:
            return cast(http.client.HTTPResponse, self._opener.open(request, timeout=SILENCE))
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError as error:
            reason = getattr(error.reason, "strerror", None) or error.reason
            raise UnansweredError(
                f"the endpoint can't be reached: {reason}", reached=False
            ) from None
        except (OSError, http.client.HTTPException) as error:
            raise UnansweredError(f"the connection broke: {_words(error)}") from None

    def _refusal(self, error: urllib.error.HTTPError) -> Exception:
        try:
            first = first_line(error.read(4096))
        except (OSError, http.client.HTTPException):
            first = ""
        said = f"the server answers {error.code} {error.reason}"
        if error.code in BUSY:
            return UnansweredError(said, _retry_after(error.headers.get("Retry-After")))
        if error.code in (401, 403):
            return self._error(said, self._at.login)
        return self._error(said, f"it says: {first}" if first else "look at the address")

    def _move(self, location: str) -> None:
        """Go on at another address of the same host; http may become https there.

        Raises:
            UserError: it leads elsewhere.
        """
        url = urllib.parse.urljoin(self._at.url, location)
        old, new = urllib.parse.urlsplit(self._at.url), urllib.parse.urlsplit(url)
        upgraded = (old.scheme, old.port, new.scheme, new.port) == ("http", None, "https", None)
        same = old.scheme == new.scheme and old.netloc == new.netloc
        if not location or not (same or (upgraded and old.hostname == new.hostname)):
            elsewhere = f"the server sends us elsewhere: {new.scheme}://{new.hostname}"
            raise self._error(elsewhere, "name that address if you trust it")
        self._at = replace(self._at, url=address(url).url)

    def _body(self, response: http.client.HTTPResponse) -> IO[bytes]:
        body = cast(IO[bytes], response)
        if response.headers.get("Content-Encoding", "").lower() == "gzip":
            body = cast(IO[bytes], gzip.GzipFile(fileobj=response))
        bounded = io.BufferedReader(_Body(response, body, self.shown), 1 << 16)
        kind = response.headers.get_content_type()
        if kind not in RESULT_TYPES:
            with bounded:
                first = first_line(bounded.read(4096))
            what = f"the server answers with {kind}, which are no SPARQL results"
            fix = f"it begins: {first}" if first else "name the endpoint that takes queries"
            raise self._error(what, fix)
        return bounded

    def _error(self, what: str, fix: str) -> UserError:
        return UserError(what, self.shown, fix)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Redirects are looked at before they are followed."""

    def redirect_request(self, *_: Any) -> None:
        return None


class _Body(io.RawIOBase):
    """An answer's bytes up to a limit; a broken connection is `UnansweredError`, never a short answer."""

    def __init__(self, response: http.client.HTTPResponse, body: IO[bytes], shown: str) -> None:
        super().__init__()
        self._response = response
        self._body = body
        self._shown = shown
        self._left = LARGEST_RESPONSE
        self._end = time.monotonic() + LONGEST_RESPONSE

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:  # type: ignore[override]
        view = memoryview(buffer)  # type: ignore[arg-type]
        try:
            data = self._body.read(len(view))
        except (OSError, EOFError, zlib.error, http.client.HTTPException) as error:
            raise UnansweredError(f"the connection broke: {_words(error)}") from None
        if not data and len(view) and self._response.length:
            # http.client says nothing when fewer bytes come than were announced.
            raise UnansweredError("the connection broke: bytes are missing")
        self._left -= len(data)
        if self._left < 0 or time.monotonic() > self._end:
            limit = f"{LARGEST_RESPONSE:,} bytes or {LONGEST_RESPONSE:,.0f} seconds"
            fix = "take a dump of it, and ingest that file"
            raise UserError(f"one answer grew beyond {limit}", self._shown, fix)
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._response.close()
        super().close()


def first_line(data: bytes) -> str:
    """The first line with words in it, cut to what fits a message."""
    lines = (" ".join(line.split()) for line in data.decode("utf-8", "replace").splitlines())
    return next((line[:SHOWN] for line in lines if line), "")


def _words(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)[:SHOWN] or type(error).__name__


def _retry_after(value: str | None) -> float:
    """Seconds of the header, which are given as such or as a date (RFC 9110, section 10.2.3)."""
    if not value:
        return 0.0
    if value.strip().isdecimal():
        return float(value.strip()[:9])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return 0.0
