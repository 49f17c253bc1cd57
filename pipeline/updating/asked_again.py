"""What is asked before and after an update: changed, added, unchanged and untouched facts."""

from ...kg.questions.pools import TAUGHT, UNTOUCHED
from ...models.language_model import LanguageModel
from ..evaluation.asked_questions import AskedQuestion, asked_questions
from ..evaluation.drift import read_texts
from ..evaluation.examination import Asked, Examination, drawn_questions
from ..general_prose import general_texts
from ..stages import StageContext
from .difference import Difference


def examination_of(context: StageContext, loaded: LanguageModel, found: Difference) -> Examination:
    """Of an update; of facts that there are many of, some are drawn by the seed."""
    earlier = asked_questions(context.inputs["facts"], (TAUGHT, UNTOUCHED))
    kinds: dict[str, list[AskedQuestion]] = {}
    for question in asked_questions(found.folder, (TAUGHT,)):
        kinds.setdefault(found.kinds[question.fact], []).append(question)
    asked = []
    for kind, questions in kinds.items():
        drawn = drawn_questions(questions, context.seed)
        asked.append(Asked(kind, drawn, [found.before[question.fact] for question in drawn]))
    unchanged = [question for question in earlier if question.fact in found.unchanged]
    untouched = [question for question in earlier if question.pool == UNTOUCHED]
    asked.append(Asked("unchanged", drawn_questions(unchanged, context.seed)))
    asked.append(Asked("untouched", drawn_questions(untouched, context.seed)))
    general = general_texts(context.files[context.project.facts.general_text])
    texts = read_texts(loaded.kind, loaded.tokenizer, general)
    return Examination(asked, texts, context.project.eval.batch_tokens)
