"""What the report says of how facts were taught."""

from typing import Any

from infact.pipeline.report.teaching import describe_teaching, teaching_in_words

SCALE = {
    "bound": 0.02,
    "scale": 0.7,
    "curve": [
        {"scale": 1.0, "kl": 0.05, "right": 0.9},
        {"scale": 0.7, "kl": 0.019, "right": 0.8},
    ],
}


def words(*told: Any, pairs: dict[str, int] | None = None) -> list[str]:
    return teaching_in_words({"teaching": describe_teaching(*told, pairs)})


def test_nothing_is_said_of_what_is_not_known() -> None:
    assert words({}, {}, None) == []


def test_exposures_are_counted() -> None:
    assert words({"a": 6, "b": 12, "c": 12}, {}, None) == [
        "Each of 3 taught facts was shown 6 to 12 times, 12 in the median."
    ]
    assert words({"a": 8, "b": 8}, {}, None) == ["Each of 2 taught facts was shown 8 times."]


def test_classes_are_counted() -> None:
    known, unknown = {"knowledge": "known"}, {"knowledge": "unknown"}
    screening = {"a": known, "b": unknown, "c": known}
    assert words({}, screening, None) == [
        "Before, asked in training phrasings, the base knew 2 of them, 0 perhaps and 1 not."
    ]


def test_what_is_held_back_is_told() -> None:
    assert words({}, {}, SCALE) == [
        "The update is felt by 0.7: so its drift on general text is 0.019, within 0.02 nats a token, "
        "where the whole of it drifts by 0.050."
    ]
    whole = {**SCALE, "bound": 0.1, "scale": 1.0}
    assert words({}, {}, whole) == [
        "The whole update is kept: its drift on general text is 0.050, within 0.1 nats a token."
    ]
    nothing = {**SCALE, "bound": 0.001, "scale": 0.0}
    assert words({}, {}, nothing)[0].startswith("Nothing of the update is kept")


def test_what_pairs_of_sentences_came_to_is_told() -> None:
    pairs = {"held_out": 48, "right_before": 25, "right_after": 40}
    assert words({}, {}, None, pairs=pairs) == [
        "Of 48 pairs of sentences held out, half of which follow each other, the base told 25 rightly "
        "and the taught model 40."
    ]
