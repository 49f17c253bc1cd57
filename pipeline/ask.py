"""`infact ask`: one question, answered by the base and by each arm, with the facts they were given."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from .asked_graph import asked_artifacts
from .base_kind import check_writes
from .console import Console
from .project import Project

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase
    from transformers.modeling_utils import PreTrainedModel

    from .arms import FusedArm

SHOWN = 12  # facts told; more is much to read
STAGES_READ = ("base", "ingest", "facts", "embed", "pretrain", "distill", "fuse")


@dataclass(frozen=True)
class Said:
    """What an arm writes; or the option that it chooses, and the share of each in their probability."""

    text: str
    shares: Sequence[float] = ()


@dataclass(frozen=True)
class Answer:
    """What an arm says, and the facts that it was given."""

    arm: str
    said: Said
    cited: tuple[str, ...]


Ask = Callable[["PreTrainedModel", str, Mapping[str, "FusedArm"]], dict[str, Said]]


def ask(
    project: Project,
    question: str,
    options: Sequence[str],
    graph: Path | None,
    console: Console,
) -> None:
    """Print every arm's answer to `question` side by side and the facts behind it.

    Args:
        project: whose arms are asked.
        question: in words.
        options: that they choose among; none where they are to write.
        graph: the folder of a graph to read in place of the project's.
        console: where the answers go.

    Raises:
        UserError: a stage that the arms need hasn't been run, the base doesn't write, or there is
            nothing to choose among.
    """
    answers = answer(project, question, options, graph, console)
    width = max(len(item.arm) for item in answers)
    for item in answers:
        console.line(f"{item.arm:<{width}}  {_in_words(item.said, options)}")
    facts = list(dict.fromkeys(fact for item in answers for fact in item.cited))
    if facts:
        console.line("\nfacts given to the arms that read the graph:")
    else:
        console.line("\nthe graph has nothing on this question: no arm was given a fact")
    shown = said_first(facts, [item.said.text for item in answers])[:SHOWN]
    for fact in shown:
        console.line(f"  [{facts.index(fact) + 1}] {fact}")
    if len(facts) > len(shown):
        console.line(f"  and {len(facts) - len(shown):,} more; --json tells all")
    console.result({"question": question, "answers": [_as_json(item, options) for item in answers]})


def said_first(facts: Sequence[str], said: Sequence[str]) -> list[str]:
    """Facts that hold an answer's words before the others, each in the order they were given."""
    words = [text.strip(" .").casefold() for text in said if text.strip(" .")]
    return sorted(facts, key=lambda fact: not any(word in fact.casefold() for word in words))


def _in_words(said: Said, options: Sequence[str]) -> str:
    if not options:
        return said.text or "(nothing)"
    ranked = sorted(zip(said.shares, options, strict=True), key=lambda pair: -pair[0])
    return ", ".join(f"{option} {share:.0%}" for share, option in ranked)


def _as_json(item: Answer, options: Sequence[str]) -> dict[str, object]:
    told: dict[str, object] = {
        "arm": item.arm,
        "text": item.said.text,
        "cited": list(item.cited),
    }
    if options:
        shares = zip(options, item.said.shares, strict=True)
        told["options"] = {option: round(share, 6) for option, share in shares}
    return told


def answer(
    project: Project,
    question: str,
    options: Sequence[str],
    graph: Path | None,
    console: Console,
) -> list[Answer]:
    """Every arm's answer; see `ask`."""
    _check(project, options)
    made = asked_artifacts(project, STAGES_READ, graph)
    folders = made.folders
    made.tell(console)
    # After the check above, so that its error needs no torch.
    from ..kg.questions.templates import question_prompt
    from ..models.base_model import resolve_precision
    from ..models.language_model import load_language_model
    from ..models.read_out import own_read_out
    from ..models.reading_window import check_window
    from ..models.taught_weights import load_taught_model
    from .arms import FusedArm, Fusions, augmented

    dtype = resolve_precision(project.eval.precision)
    loaded = load_language_model(folders["base"], None, dtype)
    base, tokenizer = loaded.model, loaded.tokenizer
    prompt = question_prompt(question)
    reader = made.reader()
    fusions = Fusions.of_stages(project, folders, reader, project.seed)
    told, lines = augmented(reader, tokenizer, [prompt], project.fuse.max_facts)
    check_window(base, tokenizer, told, project.eval.max_new_tokens, "infact ask")

    def fused(text: str) -> "FusedArm":
        return fusions.arms(base, tokenizer, [prompt], ("fused",), [text])["fused"]

    in_prompt = tuple(reader.citation(fact) for line in lines[0] for fact in line.facts)
    writer = fusions.writer(base, tokenizer)
    readable = writer.question_facts(prompt)
    in_memory = tuple(reader.citation(fact) for fact in readable.read)
    if readable.left_out:
        console.line(
            f"fused reads {len(readable.read)} facts and leaves out {readable.left_out}: "
            f"fuse.{writer.room}"
        )
    said = _asking(project, tokenizer, options)
    own = {"base": FusedArm(own_read_out)}
    alone = said(base, prompt, {**own, "fused": fused(prompt)})
    with_prompt = said(base, told[0], {**own, "fused": fused(told[0])})
    answers = [
        Answer("base", alone["base"], ()),
        Answer("base + prompt", with_prompt["base"], in_prompt),
    ]
    for arm, stage in (("pretrained", "pretrain"), ("distilled", "distill")):
        model = load_taught_model(folders["base"], folders[stage] / "adapter", dtype)
        answers.append(Answer(arm, said(model, prompt, own)["base"], ()))
    answers.append(Answer("fused", alone["fused"], in_memory))
    return [*answers, Answer("fused + prompt", with_prompt["fused"], in_memory)]


def _check(project: Project, options: Sequence[str]) -> None:
    """Raises UserError where the base can't answer so."""
    if not options:
        check_writes(project)
    elif len(set(options)) < 2 or not all(option.strip() for option in options):
        raise UserError(
            "There is nothing to choose among.",
            "--option",
            'Name two options or more, each with words of its own: --option "…" --option "…".',
        )


def _asking(project: Project, tokenizer: "PreTrainedTokenizerBase", options: Sequence[str]) -> Ask:
    """How an arm is asked: to write, or to choose among options."""
    from .asked_arms import chosen_shares, free_answers

    def written(
        model: "PreTrainedModel", text: str, arms: Mapping[str, "FusedArm"]
    ) -> dict[str, Said]:
        found = free_answers(model, tokenizer, text, arms, project.eval.max_new_tokens)
        return {name: Said(text) for name, text in found.items()}

    def chosen(
        model: "PreTrainedModel", text: str, arms: Mapping[str, "FusedArm"]
    ) -> dict[str, Said]:
        found = chosen_shares(model, tokenizer, text, arms, options)
        return {
            name: Said(options[max(range(len(options)), key=shares.__getitem__)], shares)
            for name, shares in found.items()
        }

    return chosen if options else written
