"""Processes that share steps stop together when validation ends a training, and go on to the next one."""

import json
import sys
import textwrap
from pathlib import Path

from ..launched_processes import launched

SCRIPT = """
    import json
    from pathlib import Path

    import torch
    from infact.models.process_team import TrainingOver, join_team
    from infact.models.training import Curriculum, TrainingSettings, train
    from infact.models.validation import Validation
    from torch import nn
    from torch.nn import functional

    def loss(model, rows):
        return functional.mse_loss(model(rows)[:, 0], rows.sum(1), reduction="sum") / 8

    def trained(name, team, scores):
        model, scores = nn.Linear(4, 1), iter(scores)
        nn.init.constant_(model.weight, 0.1)
        nn.init.constant_(model.bias, 0.0)
        record = train(
            model,
            Curriculum(
                lambda number: torch.ones(3, 8, 4).cumsum(1).unbind(),
                len,
                lambda rows, number, count: rows[number::count],
            ),
            loss,
            TrainingSettings(1e-1, epochs=9, checkpoint_steps=100),
            Path(name),
            lambda count: None,
            team,
            Validation(lambda model: next(scores), every=2, patience=2),
        )
        return {"steps": record.steps, "losses": record.losses, "weight": model.weight.tolist()}

    team = join_team()
    made = {}
    # Stops; the same again, from its checkpoint; runs to its end.
    for name, scores in (("a", (3, 2, 1)), ("a", ()), ("b", (1, 2, 3, 4, 5))):
        try:
            made[len(made)] = trained(name, team, scores)
        except TrainingOver:
            break
    if not team.follows:
        team.tell({"over": True})
        alone = [trained("alone", None, (3, 2, 1)), trained("whole", None, (1, 2, 3, 4, 5))]
        print(json.dumps({"shared": list(made.values()), "alone": alone}))
"""


def test_they_stop_together_and_train_again(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(textwrap.dedent(SCRIPT))
    main, other = launched([sys.executable, "script.py"], 2, tmp_path)
    assert (main.returncode, other.returncode) == (0, 0), main.stderr + other.stderr
    told = json.loads(main.stdout)
    assert [each["steps"] for each in told["shared"]] == [18, 18, 27]
    assert len(told["shared"][0]["losses"]) == 6
    for number, expected in ((0, 0), (1, 0), (2, 1)):
        found = told["shared"][number]
        assert found["steps"] == told["alone"][expected]["steps"]
        pairs = zip(found["weight"][0], told["alone"][expected]["weight"][0], strict=True)
        assert all(abs(one - two) < 1e-5 for one, two in pairs)
