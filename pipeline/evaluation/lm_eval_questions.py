"""Reads the questions of an exported task for lm-evaluation-harness.

`infact export` copies this file beside the tasks, so it imports nothing of infact. Questions are found
beside it: the folder works from anywhere and may be moved.
"""

import json
from pathlib import Path
from typing import Any


def load(questions_file: str, **unused: object) -> Any:
    """The questions as split "test"; lm-evaluation-harness adds the task's metadata, unused here.

    Built from Python's own values: a reader that guesses types would take "1999-01-01" for a time.
    """
    import datasets  # the harness's, not infact's

    with (Path(__file__).parent / questions_file).open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return datasets.DatasetDict({"test": datasets.Dataset.from_list(rows)})
