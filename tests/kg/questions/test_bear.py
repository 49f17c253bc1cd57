"""BEAR folders: what is asked, and what is refused with its place."""

import json
from pathlib import Path

import pytest
from infact.errors import UserError
from infact.kg.questions.bear import METADATA, read_bear

CAPITALS = [
    {"sub_label": "Norway", "obj_label": "Oslo", "obj_id": "Q585"},
    {"sub_label": "Peru", "obj_label": "Lima", "obj_id": "Q2868"},
]
TEMPLATES = ["The capital of [X] is [Y].", "[Y] is the capital of [X]."]


def folder_with(tmp_path: Path, metadata: object, **relations: list[object]) -> Path:
    text = metadata if isinstance(metadata, str) else json.dumps(metadata)
    (tmp_path / METADATA).write_text(text, encoding="utf-8")
    for name, rows in relations.items():
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


def test_each_instance_is_asked_in_each_template(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, {"P36": {"templates": TEMPLATES}}, P36=[*CAPITALS, ""])
    first, second, *_ = probes = read_bear(folder)
    assert len(probes) == len({probe.probe for probe in probes}) == 4
    assert first.statements == ("The capital of Norway is Oslo.", "The capital of Norway is Lima.")
    assert second.statements == ("Oslo is the capital of Norway.", "Lima is the capital of Norway.")
    assert [probe.options[probe.correct] for probe in probes] == ["Oslo", "Oslo", "Lima", "Lima"]
    assert (first.prompt, second.prompt) == ("The capital of Norway is", "")
    assert {probe.cluster for probe in probes} == {"Norway", "Peru"}
    assert probes[2].source == f"{folder}/P36.jsonl:2"


def test_the_first_letter_is_large(tmp_path: Path) -> None:
    rows = [{"sub_label": "meat", "obj_label": "the lion", "obj_id": "1"},
            {"sub_label": "candy", "obj_label": "the kid", "obj_id": "2"}]  # fmt: skip
    folder = folder_with(tmp_path, {"eats": {"templates": ["[Y] eats [X]."]}}, eats=rows)
    assert read_bear(folder)[0].statements == ("The lion eats meat.", "The kid eats meat.")


def test_a_slot_in_a_label_is_no_slot(tmp_path: Path) -> None:
    rows = [{**CAPITALS[0], "sub_label": "the [Y] land"}, {**CAPITALS[1], "obj_label": "[X]"}]
    folder = folder_with(tmp_path, {"P36": {"templates": TEMPLATES[:1]}}, P36=rows)
    assert read_bear(folder)[0].statements == (
        "The capital of the [Y] land is Oslo.",
        "The capital of the [Y] land is [X].",
    )


def test_the_answer_space_may_be_larger_than_the_instances(tmp_path: Path) -> None:
    space = {
        "answer_space_ids": ["Q1", "Q585", "Q2868"],
        "answer_space_labels": ["Quito", "Oslo", "Lima"],
    }
    folder = folder_with(tmp_path, {"P36": {"templates": TEMPLATES[:1], **space}}, P36=CAPITALS)
    assert [(probe.options, probe.correct) for probe in read_bear(folder)] == [
        (("Quito", "Oslo", "Lima"), 1),
        (("Quito", "Oslo", "Lima"), 2),
    ]


@pytest.mark.parametrize(
    ("told", "rows", "message", "place"),
    [
        ({"templates": []}, CAPITALS, "no template", f"{METADATA}:P36"),
        ({"templates": ["[X] has a capital."]}, CAPITALS, r"needs \[Y\] once", f"{METADATA}:P36"),
        ({"templates": ["[Y], [Y] of [X]"]}, CAPITALS, r"needs \[Y\] once", f"{METADATA}:P36"),
        ({"templates": ["A city is [Y]."]}, CAPITALS, r"needs \[X\] once", f"{METADATA}:P36"),
        ({"templates": TEMPLATES}, [CAPITALS[0], "{"], "isn't JSON", "P36.jsonl:2:2"),
        ({"templates": TEMPLATES}, ["[]"], "not an object", "P36.jsonl:1"),
        ({"templates": TEMPLATES}, [{"sub_label": "Peru"}], "obj_label", "P36.jsonl:1"),
        ({"templates": TEMPLATES}, ['{"sub_label": NaN}'], "NaN is no JSON", "P36.jsonl:1"),
        (
            {"templates": TEMPLATES},
            [{**CAPITALS[0], "obj_label": ""}],
            '"obj_label" is empty',
            "P36.jsonl:1",
        ),
        ({"templates": "[X] is [Y]."}, CAPITALS, '"templates"', f"{METADATA}:P36"),
        ([], CAPITALS, "not an object", f"{METADATA}:P36"),
        (
            {"templates": TEMPLATES, "answer_space_ids": [1, 1], "answer_space_labels": ["a", "b"]},
            CAPITALS,
            "the id '1' twice",
            f"{METADATA}:P36",
        ),
        (
            {
                "templates": TEMPLATES,
                "answer_space_ids": ["Q585", "Q2868"],
                "answer_space_labels": ["Oslo", "Lima "],
            },
            CAPITALS,
            "'Lima' here and 'Lima ' in the answer space",
            "P36.jsonl:2",
        ),
        (
            {"templates": TEMPLATES},
            [*CAPITALS, CAPITALS[0]],
            "given twice, first in .*P36.jsonl:1",
            "P36.jsonl:3",
        ),
        (
            {"templates": TEMPLATES},
            [*CAPITALS, {**CAPITALS[0], "obj_label": "Bergen", "obj_id": "Q26793"}],
            "two answers, 'Oslo' in .*P36.jsonl:1 and 'Bergen'",
            "P36.jsonl:3",
        ),
        (
            {"templates": TEMPLATES, "answer_space_ids": ["Q585"], "answer_space_labels": ["Oslo"]},
            CAPITALS,
            "not in the answer space",
            "P36.jsonl:2",
        ),
        (
            {"templates": TEMPLATES, "answer_space_ids": ["Q1"], "answer_space_labels": []},
            CAPITALS,
            "1 ids and 0 labels",
            f"{METADATA}:P36",
        ),
        (
            {"templates": TEMPLATES},
            [CAPITALS[0], {**CAPITALS[1], "obj_label": "Oslo"}],
            "'Oslo' twice",
            f"{METADATA}:P36",
        ),
    ],
)
def test_faults_are_named_with_their_place(
    tmp_path: Path, told: object, rows: list[object], message: str, place: str
) -> None:
    folder = folder_with(tmp_path, {"P36": told}, P36=rows)
    with pytest.raises(UserError, match=message) as error:
        read_bear(folder)
    assert error.value.where.endswith(place)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=METADATA):
        read_bear(tmp_path)
    folder_with(tmp_path, {"P36": {"templates": TEMPLATES}})
    with pytest.raises(UserError, match="missing") as error:
        read_bear(tmp_path)
    assert error.value.where.endswith("P36.jsonl")
    folder_with(tmp_path, "{")
    with pytest.raises(UserError, match="isn't JSON"):
        read_bear(tmp_path)
    folder_with(tmp_path, "[]")
    with pytest.raises(UserError, match="isn't a JSON object"):
        read_bear(tmp_path)


def test_a_relation_that_only_the_metadata_name_is_not_asked(tmp_path: Path) -> None:
    """As in BEAR-big, where P414 has no file; lm-pub-quiz goes by the files, too."""
    told = {"P414": {"templates": TEMPLATES}, "P36": {"templates": TEMPLATES}}
    assert {probe.relation for probe in read_bear(folder_with(tmp_path, told, P36=CAPITALS))} == {
        "P36"
    }


def test_a_relation_that_the_metadata_do_not_name_is_refused(tmp_path: Path) -> None:
    told = {"P36": {"templates": TEMPLATES}}
    with pytest.raises(UserError, match="doesn't name the relation P37") as error:
        read_bear(folder_with(tmp_path, told, P36=CAPITALS, P37=CAPITALS))
    assert error.value.where.endswith("P37.jsonl")


@pytest.mark.parametrize("name", ["../P36", "/etc/P36", "a/b"])
def test_a_relation_does_not_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="is no file's name"):
        read_bear(folder_with(tmp_path, {name: {"templates": TEMPLATES}}))


def test_an_empty_subject_is_read_as_published(tmp_path: Path) -> None:
    rows = [CAPITALS[0], {**CAPITALS[1], "sub_label": ""}]
    probe = read_bear(folder_with(tmp_path, {"P36": {"templates": TEMPLATES}}, P36=rows))[2]
    assert probe.statements[1] == "The capital of  is Lima."
    assert probe.cluster == probe.probe


def test_a_relation_may_have_a_name_beside_its_file(tmp_path: Path) -> None:
    told = {"P36-1": {"templates": TEMPLATES, "relation": "capital"}}
    probes = read_bear(folder_with(tmp_path, told, **{"P36-1": CAPITALS}))
    assert {probe.relation for probe in probes} == {"capital"}
    assert probes[0].source.endswith("P36-1.jsonl:1")


def test_all_faulty_instances_are_told_at_once(tmp_path: Path) -> None:
    told = {"P36": {"templates": TEMPLATES}, "P37": {"templates": TEMPLATES}}
    folder = folder_with(tmp_path, told, P36=[CAPITALS[0], "{"], P37=["[]", *CAPITALS])
    with pytest.raises(UserError, match="2 lines are faulty") as error:
        read_bear(folder)
    first, second = error.value.where.splitlines()
    assert f"{folder}/P36.jsonl:2" in first
    assert f"{folder}/P37.jsonl:1: the line is not an object" in second
