"""A whole run's files take their places: the mentions, and what stands beside them."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...kg.corpora.written_mentions import MentionFormat
from ..artifacts import flush
from .former_run import FormerRun
from .link_counts import rejected_beside
from .listed_documents import listed_beside, write_listed
from .passed_over import PassedOverFiles
from .refresh import changes_beside, gone_lines
from .unfinished import UnfinishedRun


def publish_links(
    out: Path,
    format: MentionFormat,
    run: UnfinishedRun,
    passed_over: PassedOverFiles,
    with_now: Mapping[str, Any],
    former: FormerRun | None,
) -> None:
    """What stands beside the output first: who finds the output finds that too."""
    finished = run.folder / "finished"
    finished.unlink(missing_ok=True)
    format.join(run.parts, (made.bytes for made in run.done()), finished)
    rejected = run.folder / "rejected"
    with rejected.open("w", encoding="utf-8") as file:
        for made in run.done():
            file.writelines(json.dumps(asdict(item)) + "\n" for item in made.rejected)
        file.writelines(passed_over.lines())
    run.publish_beside(rejected, rejected_beside(out))
    changes = run.folder / "changes"
    with changes.open("w", encoding="utf-8") as file:
        for made in run.done():
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in made.changes)
        if former is not None:
            file.writelines(gone_lines(former.links))
    run.publish_beside(changes, changes_beside(out))
    listed = run.folder / "documents"
    write_listed(listed, (each for made in run.done() for each in made.listed), with_now)
    run.publish_beside(listed, listed_beside(out))
    run.publish(finished, out)
    run.remove()
    flush(out.parent)
