"""The fuse stage: train one strategy of fusion, and its two controls, on the frozen base."""

from dataclasses import replace
from pathlib import Path

from transformers.modeling_utils import PreTrainedModel

from ...errors import UserError
from ...kg.questions.pools import PRACTICE
from ...models.base_model import resolve_precision
from ...models.fusion_training import POINTERS, text_keys
from ...models.language_model import LanguageModel, load_language_model
from ...models.reading_window import check_window
from ..fusion_memory import MemoryWriter, most_places
from ..graph_reader import GraphReader, read_predicted
from ..stages import StageContext
from ..vector_sources import VECTORS, TextReader, entity_vectors, save_vectors
from . import pointer_variants, state_fusion_variants
from .fusion_practice import FusionPractice, practice_questions
from .swapped_practice import swapped_practice
from .teaching_data import facts_of_pools
from .teaching_run import write_json
from .unrelated_texts import unrelated_texts


def run(context: StageContext) -> None:
    """Write the trained fused arm and its controls, and training.json.

    Raises:
        UserError: the base can't be fused; or there is nothing to practise on.
    """
    settings, folder = context.project.fuse, context.inputs["base"]
    precision = resolve_precision(context.project.model.precision)
    loaded = load_language_model(folder, None, precision)
    _check_widths(loaded.model, folder)
    practice = _practice(context, loaded)
    train = pointer_variants if settings.strategy in POINTERS else state_fusion_variants
    trained = train.train_variants(context, practice)
    write_json(context.work / "training.json", trained.record)
    (context.work / "log").mkdir(exist_ok=True)
    write_json(context.work / "log" / "training.json", {"seconds": dict(trained.seconds)})


def _practice(context: StageContext, loaded: LanguageModel) -> FusionPractice:
    """The questions, and all that may be read for them; the vectors are written."""
    settings, inputs = context.project.fuse, context.inputs
    base, tokenizer = loaded.model, loaded.tokenizer
    stated = GraphReader.open(inputs["ingest"], inputs["facts"])
    reader = replace(stated, predicted=read_predicted(inputs["embed"], settings.predicted))
    graph, text_reader = reader.graph, TextReader(base, tokenizer, context.console)
    vectors = entity_vectors(settings.vectors, graph, inputs["embed"], context.files, text_reader)
    save_vectors(vectors, context.work / VECTORS)
    facts = facts_of_pools(inputs["facts"], (PRACTICE,))
    swapped = swapped_practice(reader, facts, settings.swapped, context.seed)
    questions = swapped.asked(practice_questions(context))
    texts = [f"{question.prompt} {question.answer}" for question in questions]
    check_window(base, tokenizer, texts, 1, "a practice question of the facts stage")
    writer = MemoryWriter(
        reader,
        tokenizer,
        vectors.rows,
        settings.max_facts,
        loaded.kind,
        most_places(settings.strategy),
    )
    labels = [reader.relation_label(number) for number in range(graph.relation_count)]
    return FusionPractice(
        base,
        tokenizer,
        questions,
        unrelated_texts(questions, settings.unrelated_texts, context.seed),
        writer,
        replace(writer, reader=swapped.reader),
        labels,
        text_keys(base, tokenizer, labels),
        vectors.vectors,
    )


def _check_widths(base: PreTrainedModel, folder: Path) -> None:
    """Labels are read and written in the space of the states: some encoders have narrower embeddings."""
    states = base.config.get_text_config().hidden_size
    embeddings = next(base.get_input_embeddings().parameters()).shape[1]
    if embeddings != states:
        raise UserError(
            f"the base's embeddings have {embeddings} numbers and its states {states}",
            str(folder),
            "Name a base in which they are alike: BERT, RoBERTa, MiniLM, ModernBERT, DeBERTa, Llama, …",
        )
