"""report.json as a file: readable where a person reads, compact where only machines do."""

import json
from pathlib import Path
from typing import Any

from ...errors import UserError

REPORT_JSON = "report.json"
FORMAT = "infact report 3"
FIX = "name a report.json that `infact report` wrote"

Json = dict[str, Any]


def report_document(report: Json) -> str:
    """One section a block, one entry of a list a line; the answers, the bulk of it, come last."""
    ordered = sorted(report.items(), key=lambda section: section[0] == "rows")
    sections = [f" {_dumps(key)}: {_section(value)}" for key, value in ordered]
    return "{\n" + ",\n".join(sections) + "\n}\n"


def read_report(path: Path) -> Json:
    """The report in a file that the user named.

    Raises:
        UserError: the file can't be read, isn't a report, or is one in another format.
    """
    where = str(path)
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"the file can't be read: {error.strerror}", where, FIX) from None
    except (ValueError, RecursionError) as error:  # text in another encoding as well
        raise UserError(f"the file isn't JSON: {error}", where, FIX) from None
    if not isinstance(report, dict) or not isinstance(report.get("format"), str):
        raise UserError("the file isn't a report", where, FIX)
    if report["format"] != FORMAT:
        problem = f"the report is in the format {report['format']!r}, and this is {FORMAT!r}"
        raise UserError(problem, where, "make it again with `infact report`")
    return report


def _section(value: object) -> str:
    if isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
        return "[\n" + ",\n".join(f"  {_dumps(entry)}" for entry in value) + "\n ]"
    if isinstance(value, dict) and value:
        lines = [f"  {_dumps(name)}: {_dumps(entry)}" for name, entry in value.items()]
        return "{\n" + ",\n".join(lines) + "\n }"
    return _dumps(value)


def _dumps(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
