"""`infact ask`: one question, answered by the base and by each arm, with the facts they were given."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .asked_graph import asked_artifacts
from .base_kind import check_writes
from .console import Console
from .project import Project

if TYPE_CHECKING:
    from transformers.modeling_utils import PreTrainedModel

STAGES_READ = ("base", "ingest", "facts", "embed", "pretrain", "distill", "fuse")


@dataclass(frozen=True)
class Answer:
    """What an arm says, and the facts that it was given."""

    arm: str
    text: str
    cited: tuple[str, ...]


def ask(project: Project, question: str, graph: Path | None, console: Console) -> None:
    """Print every arm's answer to `question` side by side and the facts behind it.

    Args:
        project: whose arms are asked.
        question: in words.
        graph: the folder of a graph to read in place of the project's.
        console: where the answers go.

    Raises:
        UserError: a stage that the arms need hasn't been run, or the base doesn't write.
    """
    answers = answer(project, question, graph, console)
    width = max(len(item.arm) for item in answers)
    for item in answers:
        console.line(f"{item.arm:<{width}}  {item.text or '(nothing)'}")
    facts = list(dict.fromkeys(fact for item in answers for fact in item.cited))
    if facts:
        console.line("\nfacts given to the arms that read the graph:")
    else:
        console.line("\nthe graph has nothing on this question: no arm was given a fact")
    for number, fact in enumerate(facts, start=1):
        console.line(f"  [{number}] {fact}")
    console.result(
        {
            "question": question,
            "answers": [
                {"arm": item.arm, "text": item.text, "cited": list(item.cited)} for item in answers
            ],
        }
    )


def answer(project: Project, question: str, graph: Path | None, console: Console) -> list[Answer]:
    """Every arm's answer; see `ask`."""
    check_writes(project)
    made = asked_artifacts(project, STAGES_READ, graph)
    folders = made.folders
    made.tell(console)
    # After the check above, so that its error needs no torch.
    from ..kg.questions.templates import question_prompt
    from ..models.base_model import load_causal_model, load_tokenizer, resolve_precision
    from ..models.low_rank import load_adapted_model
    from ..models.read_out import own_read_out
    from ..models.reading_window import check_window
    from .arms import FusedArm, Fusions, augmented, free_answers

    dtype = resolve_precision(project.eval.precision)
    base, tokenizer = load_causal_model(folders["base"], dtype), load_tokenizer(folders["base"])
    prompt = question_prompt(question)
    reader = made.reader()
    limit = project.fuse.max_facts
    fusions = Fusions.of_stages(project, folders, reader, project.seed)
    told, lines = augmented(reader, tokenizer, [prompt], limit)
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

    def said(model: "PreTrainedModel", text: str, arms: "dict[str, FusedArm]") -> dict[str, str]:
        return free_answers(model, tokenizer, text, arms, project.eval.max_new_tokens)

    own = {"base": FusedArm(own_read_out)}
    alone = said(base, prompt, {**own, "fused": fused(prompt)})
    with_prompt = said(base, told[0], {**own, "fused": fused(told[0])})
    answers = [
        Answer("base", alone["base"], ()),
        Answer("base + prompt", with_prompt["base"], in_prompt),
    ]
    for arm, stage in (("pretrained", "pretrain"), ("distilled", "distill")):
        model = load_adapted_model(folders["base"], folders[stage] / "adapter", dtype)
        answers.append(Answer(arm, said(model, prompt, own)["base"], ()))
    answers.append(Answer("fused", alone["fused"], in_memory))
    return [*answers, Answer("fused + prompt", with_prompt["fused"], in_memory)]
