from infact.kg import vocabulary as v
from infact.kg.readers.languages import in_languages, is_language_tag
from infact.kg.statements import LiteralTerm, Rejected, Statement


def test_texts_in_chosen_languages_and_all_that_have_none_stay() -> None:
    def text(language: str) -> Statement:
        return Statement("s:a", "p:a", LiteralTerm("x", v.RDF_LANG_STRING, language))

    others = [
        Statement("s:a", "p:a", "o:a"),
        Statement("s:a", "p:a", LiteralTerm("x", v.XSD_STRING, "")),
        Rejected(1, 0, "bad", "x"),
    ]
    kept = [text("en"), text("en-gb"), text("de"), text("mul"), *others]
    left = [text("eng"), text("fr"), text("d")]
    assert list(in_languages(iter([*left, *kept]), ["EN", "de"])) == kept


def test_the_form_of_a_tag() -> None:
    assert all(map(is_language_tag, ["en", "pt-BR", "zh-Hans-CN", "en-x-rtl"]))
    assert not any(map(is_language_tag, ["", "en_GB", "-en", "en-", "toolonglanguage", "en\n"]))
