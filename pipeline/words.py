"""How the report writes numbers and foreign text: the page, the Markdown and the verdict agree."""

import unicodedata

NO_BREAK = "\u00a0"
MINUS = "\u2212"
LONGEST_TEXT = 240  # characters of a label or answer that a report shows


def percent(share: float) -> str:
    """0.8333 as `83.3 %`."""
    return f"{share * 100:.1f}{NO_BREAK}%".replace("-", MINUS)


def bare_percent(share: float) -> str:
    """0.8333 as `83.3`, for columns whose head says %."""
    return f"{share * 100:.1f}".replace("-", MINUS)


def points(difference: float) -> str:
    """A difference of shares in signed percentage points: 0.721 as `+72.1`."""
    text = f"{difference * 100:+.1f}"
    return "0.0" if float(text) == 0 else text.replace("-", MINUS)


def span(low: float, high: float) -> str:
    """The ends of an interval of shares in per cent: `78.1 to 87.0`."""
    ends = (f"{end * 100:.1f}" for end in (low, high))
    return " to ".join("0.0" if float(end) == 0 else end.replace("-", MINUS) for end in ends)


def p_value(p: float) -> str:
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def count(number: float) -> str:
    """A whole number with thousands apart: `48,000`."""
    return f"{round(number):,}"


def milliseconds(duration: float) -> str:
    return f"{duration:.1f}" if duration < 100 else count(duration)


def ratio(value: float) -> str:
    return f"{value:.3f}"


def capital(text: str) -> str:
    """The text with its first letter large: `fused` as `Fused`, `BM25` as it is."""
    return text[:1].upper() + text[1:]


def shorten(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def clean_text(text: str) -> str:
    """Foreign text on one line: no control, format or bidirectional characters, bounded length.

    Letters of right-to-left scripts stay; the joiners that some scripts need (U+200C, U+200D) too.
    """
    kept = (
        character if character in "\u200c\u200d" or _is_visible(character) else " "
        for character in text[: 4 * LONGEST_TEXT]
    )
    return shorten(" ".join("".join(kept).split()), LONGEST_TEXT)


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
