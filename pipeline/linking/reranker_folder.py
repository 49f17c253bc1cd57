"""A trained re-ranker on disk, and the encoder that it was trained on.

reranker.safetensors    A, B, the weights of the sum, δ and T
reranker.json           the encoder (its name, and the digest of its files), the graph
metrics.json            what it came to on entities of its test part
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from safetensors import SafetensorError

from ...errors import UserError
from ...models.mention_reranker import MentionReranker, load_reranker
from ...models.text_encoder import TextEncoder
from ..artifacts import file_digest, newest_first, read_manifest
from ..encoder_folders import encoder_digest, encoder_folder

STAGE = "rerank"
ENCODER_PLACE = "encoder_place"  # recorded in the manifest, for an encoder of no package
WEIGHTS, ABOUT, METRICS = "reranker.safetensors", "reranker.json", "metrics.json"


@dataclass(frozen=True)
class RerankerAbout:
    """What a re-ranker was trained on.

    Attributes:
        encoder: `package:<module>/<folder>`, or the name of a folder.
        encoder_digest: of its files.
        graph: digest of the graph's tables.
        width: of the encoder's states.
    """

    encoder: str
    encoder_digest: str
    graph: str
    width: int


@dataclass(frozen=True)
class TrainedReranker:
    """A re-ranker ready to be given a graph.

    Attributes:
        digest: of all that its scores follow from beside the graph.
    """

    model: MentionReranker
    encoder: TextEncoder
    about: RerankerAbout
    digest: str


def write_about(about: RerankerAbout, folder: Path) -> None:
    """Beside the weights."""
    (folder / ABOUT).write_text(json.dumps(asdict(about), indent=1), encoding="utf-8")


def reranker_folder(named: Path) -> Path:
    """The folder of a re-ranker, or of the newest of those below the folder that `--out` named.

    Raises:
        UserError: there is none.
    """
    fix = "make one: infact rerank --graph GRAPH --out FOLDER"
    if not named.is_dir():
        raise UserError("there is no such folder", f"--reranker {named}", fix)
    for folder in (named, *newest_first(named, STAGE)):
        manifest = read_manifest(folder)
        if manifest is not None and manifest.recipe.stage == STAGE:
            return folder
    raise UserError("the folder holds no whole re-ranker", f"--reranker {named}", fix)


def open_reranker(named: Path) -> TrainedReranker:
    """Read a re-ranker and its encoder.

    Raises:
        UserError: there is none, a file is damaged, or the encoder isn't the one that it was trained on.
    """
    folder = reranker_folder(named)
    manifest = read_manifest(folder)
    assert manifest is not None
    for name in (WEIGHTS, ABOUT):
        if file_digest(folder / name) != manifest.outputs.get(name):
            fix = "make it anew: infact rerank --graph GRAPH --out FOLDER"
            raise UserError("the file isn't as it was written", str(folder / name), fix)
    about = RerankerAbout(**json.loads((folder / ABOUT).read_text(encoding="utf-8")))
    own = about.encoder.startswith("package:")
    named_place = about.encoder if own else manifest.recorded[ENCODER_PLACE]
    encoder_place = encoder_folder(named_place, "--base")
    digest = encoder_digest(encoder_place)
    if digest != about.encoder_digest:
        problem = f"{about.encoder} isn't the encoder that the re-ranker was trained on"
        fix = "bring that one back, or make the re-ranker anew: infact rerank"
        raise UserError(problem, str(encoder_place), fix)
    try:
        model = load_reranker(folder / WEIGHTS, about.width)
    except (OSError, SafetensorError, RuntimeError) as error:
        raise UserError(
            f"the weights can't be read: {error}", str(folder), "make it anew"
        ) from error
    return TrainedReranker(model, TextEncoder(encoder_place), about, manifest.digest)
