"""`infact explain`: what each layer attended to for an answer, each weight beside its knock-out effect.

It explains causal models, as every project's base is one. A masked model predicts at masks and reads
both ways; its knock-outs would be other ones.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import UserError
from ..asked_graph import asked_artifacts
from ..base_kind import check_writes
from ..console import Advance, Console
from ..project import Project

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase
    from transformers.modeling_utils import PreTrainedModel

    from ..arms import Fusions
    from ..graph_reader import GraphReader
    from .explained_arms import TracedArm

STAGES_READ = ("base", "ingest", "facts")
FUSED_STAGES_READ = (*STAGES_READ, "embed", "fuse")
NO_ANSWER = "it said nothing; name an answer with --answer"
SILENT_GRAPH = "the graph has nothing on this question"

Json = dict[str, Any]


@dataclass(frozen=True)
class Loaded:
    """What explaining needs.

    Attributes:
        fusions: None where the fuse stage hasn't been run, with `unfused` saying so.
    """

    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    reader: "GraphReader"
    fusions: "Fusions | None"
    unfused: str


def explain(
    project: Project,
    text: str,
    answer: str | None,
    graph: Path | None,
    out: Path | None,
    console: Console,
) -> None:
    """Print why each arm answers as it does; write a page to `out` where one is wanted.

    Args:
        project: whose graph and models are read.
        text: a question, or the beginning of a sentence to be completed.
        answer: what is explained; None for what each arm itself says.
        graph: the folder of a graph to read in place of the project's.
        out: an HTML file.
        console: for words and the JSON.

    Raises:
        UserError: a stage that is needed hasn't been run, the text or the answer is empty, or `out`
            can't be written.
    """
    _check(text, answer, out)
    loaded = _load(project, graph, console)
    document = explanation(project, loaded, text.strip(), answer, console)
    from .page import render_explanation
    from .table import explanation_tables

    console.line(explanation_tables(document))
    if out is not None:
        _write(out, render_explanation(document))
        console.line(f"{out}")
    console.result(document)


def explanation(
    project: Project, loaded: Loaded, text: str, answer: str | None, console: Console
) -> Json:
    """The whole explanation; see `words.READING` for what its numbers mean."""
    from ...kg.questions.templates import question_prompt
    from ...models.reading_window import check_window
    from .explained_arms import plain_arms, prompt_arm
    from .prompt_draws import LEAD_INS
    from .words import document_of

    prompt = question_prompt(text) if text.endswith("?") else text
    told = prompt_arm(loaded.reader, loaded.tokenizer, prompt, project.fuse.max_facts)
    longest = told[1] if told else prompt
    room = project.eval.max_new_tokens
    check_window(loaded.model, loaded.tokenizer, [longest], room, "infact explain")
    plain = plain_arms(loaded.model, loaded.tokenizer, prompt, loaded.fusions)
    asked = [(prompt, plain), *([(told[1], [told[0]])] if told else [])]
    said = {
        arm.name: words
        for given, arms in asked
        for arm, words in zip(arms, _answers(project, loaded, given, arms, answer), strict=True)
    }
    absent = {name: NO_ANSWER for name, words in said.items() if not words}
    if loaded.fusions is None:
        absent["fused"] = loaded.unfused
    elif "fused" not in said:
        absent["fused"] = SILENT_GRAPH
    if told is None:
        absent["base + prompt"] = SILENT_GRAPH
    groups: dict[tuple[str, str], list[TracedArm]] = {}
    for given, arms in asked:
        for arm in arms:
            if said[arm.name]:
                groups.setdefault((given, said[arm.name]), []).append(arm)
    with console.progress("explain", len(groups) * len(LEAD_INS), "readings") as advance:
        described = _described(project, loaded, prompt, groups, advance)
    return document_of(text, prompt, described, absent)


def _described(
    project: Project,
    loaded: Loaded,
    prompt: str,
    groups: "dict[tuple[str, str], list[TracedArm]]",
    advance: Advance,
) -> list[Json]:
    """The arms, those that read one prompt and are asked about one answer together."""
    from .explained_arms import explain_arms
    from .prompt_draws import asked_words, prompt_draws

    stretches = asked_words(prompt)
    words = [prompt[start:end].strip() for start, end in stretches]
    found = []
    for (_, answer), arms in groups.items():
        draws = prompt_draws(prompt, stretches, arms[0].lines, project.seed)
        found += explain_arms(loaded.model, loaded.tokenizer, words, draws, answer, arms, advance)
    return found


def _answers(
    project: Project, loaded: Loaded, prompt: str, arms: "list[TracedArm]", answer: str | None
) -> list[str]:
    """What is explained for each arm: `answer`, else what the arm says."""
    if answer is not None:
        return [answer.strip()] * len(arms)
    from ..asked_arms import free_answers

    asked = {arm.name: arm.read(prompt) for arm in arms}
    said = free_answers(loaded.model, loaded.tokenizer, prompt, asked, project.eval.max_new_tokens)
    return [said[arm.name] for arm in arms]


def _load(project: Project, graph: Path | None, console: Console) -> Loaded:
    check_writes(project)
    made = asked_artifacts(project, STAGES_READ, graph)
    unfused = ""
    try:
        made = asked_artifacts(project, FUSED_STAGES_READ, graph)
    except UserError as error:  # the base can be explained without it
        unfused = f"{error.what}; {error.fix}"
    # After the checks above, so that their errors need no torch.
    from ...models.base_model import load_causal_model, load_tokenizer, resolve_precision
    from ..arms import Fusions

    made.tell(console)
    folders = made.folders
    model = load_causal_model(folders["base"], resolve_precision(project.eval.precision))
    reader = made.reader()
    fusions = None
    if not unfused:
        fusions = Fusions.of_stages(project, folders, reader, project.seed)
    return Loaded(model, load_tokenizer(folders["base"]), reader, fusions, unfused)


def _check(text: str, answer: str | None, out: Path | None) -> None:
    """Mistakes that would else be found after minutes."""
    if not text.strip():
        raise UserError("there is nothing to explain", "infact explain", "Ask a question.")
    if answer is not None and not answer.strip():
        fix = "Leave it out to have each arm's own answer explained."
        raise UserError("the answer is empty", "infact explain --answer", fix)
    if out is not None and not out.parent.is_dir():
        fix = "Make it, or name a file in another."
        raise UserError("the page's folder doesn't exist", str(out.parent), fix)


def _write(out: Path, page: str) -> None:
    try:
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        what = f"the page can't be written: {error.strerror}"
        raise UserError(what, str(out), "Name another file with --out.") from None
