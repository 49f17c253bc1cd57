from infact.kg.questions.few_shot import WorkedExample, choose_examples, few_shot_prompt

EXAMPLES = [
    WorkedExample(
        relation, f"P-{relation}-{number}", f"The {relation} of land {number}, {way}, is", "x"
    )
    for relation in ("capital", "currency")
    for number in range(6)
    for way in ("as told", "as known")
]


def test_each_relation_has_examples_of_distinct_facts() -> None:
    drawn = choose_examples(EXAMPLES, 4, seed=0)
    assert set(drawn) == {"capital", "currency", ""}
    for relation in ("capital", "currency"):
        assert len({example.fact for example in drawn[relation]}) == 4
        assert {example.relation_label for example in drawn[relation]} == {relation}


def test_questions_of_other_relations_get_a_mixture() -> None:
    drawn = choose_examples(EXAMPLES, 4, seed=0)
    assert [example.relation_label for example in drawn[""]] == ["capital", "currency"] * 2
    prompt = few_shot_prompt(drawn, "river", "Question: Which river?\nAnswer:")
    assert prompt.endswith("\n\nQuestion: Which river?\nAnswer:")
    assert prompt.startswith(f"{drawn[''][0].prompt} x\n\n")


def test_the_seed_decides_and_the_order_of_the_facts_does_not() -> None:
    drawn = choose_examples(EXAMPLES, 3, seed=1)
    assert choose_examples(EXAMPLES[::-1], 3, seed=1).keys() == drawn.keys()
    facts = [example.fact for example in drawn["capital"]]
    again = [example.fact for example in choose_examples(EXAMPLES[::-1], 3, 1)["capital"]]
    assert facts == again
    assert any(choose_examples(EXAMPLES, 3, seed) != drawn for seed in range(2, 6))


def test_fewer_facts_than_shots_are_all_shown() -> None:
    assert len(choose_examples(EXAMPLES, 99, seed=0)["capital"]) == 6


def test_no_examples_leave_the_prompt_alone() -> None:
    assert few_shot_prompt(choose_examples([], 4, 0), "capital", "Lima is") == "Lima is"
