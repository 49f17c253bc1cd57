"""answers.csv holds every answer, and no cell that a spreadsheet would run."""

import csv
import io
from dataclasses import replace

import pyarrow as pa
import pytest
from infact.pipeline.report.answers_csv import COLUMNS, answers_csv, harmless_cell
from infact.pipeline.report.report_data import ReportInputs
from infact.pipeline.words import clean_text


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_answer_stands_there(report_inputs: ReportInputs) -> None:
    rows = rows_of(answers_csv(report_inputs.answers, report_inputs.facts))
    assert tuple(rows[0]) == COLUMNS
    found = {(row["arm"], row["seed"], row["fact"], row["phrasing"]): row for row in rows}
    assert len(found) == len(rows) == report_inputs.answers.num_rows
    for given in report_inputs.answers.to_pylist():
        row = found[given["arm"], str(given["seed"]), given["fact"], given["template"]]
        assert row["right"] == ("right" if given["right"] else "wrong")
        assert row["chosen"].lstrip("'") == clean_text(given["options"][given["chosen"]])
        assert row["free answer is"] == (given["outcome"] or "")
        assert bool(row["confidence"]) == (
            given["arm"] not in {"majority object", "link prediction"}
        )


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＠x", "﹢1"]
)
def test_a_formula_becomes_text(text: str, report_inputs: ReportInputs) -> None:
    assert harmless_cell(text) == f"'{text}"
    rows = report_inputs.answers.to_pylist()[:1]
    rows[0]["options"] = [text + option for option in rows[0]["options"]]
    rows[0]["subject_label"] = rows[0]["relation_label"] = rows[0]["prompt"] = text
    rows[0]["generated"] = rows[0]["template"] = text
    answers = pa.Table.from_pylist(rows, schema=report_inputs.answers.schema)
    written = answers_csv(replace(report_inputs, answers=answers).answers, report_inputs.facts)
    for cell in rows_of(written)[0].values():
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＠", "﹢"))


def test_an_ordinary_cell_stays_as_it_is() -> None:
    assert [harmless_cell(text) for text in ("", "FBN1", "3-beta", "'x")] == [
        "",
        "FBN1",
        "3-beta",
        "'x",
    ]


def test_the_same_answers_in_another_order_give_the_same_file(report_inputs: ReportInputs) -> None:
    answers = report_inputs.answers
    turned = answers.take(list(range(answers.num_rows))[::-1])
    assert answers_csv(turned, report_inputs.facts) == answers_csv(answers, report_inputs.facts)
