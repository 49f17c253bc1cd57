import torch
from infact.models.read_out import Positions, next_token_log_probabilities, own_read_out


def test_log_probabilities_are_the_models(tiny_model) -> None:
    tokens = torch.tensor([[5, 6, 7]])
    with torch.no_grad():
        hidden = tiny_model.base_model(tokens).last_hidden_state[0]
        found = next_token_log_probabilities(tiny_model, hidden)
        expected = tiny_model(tokens).logits[0].log_softmax(-1)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(found.exp().sum(dim=1), torch.ones(3), rtol=1e-5, atol=1e-5)


def test_the_own_read_out_adds_nothing() -> None:
    own = torch.zeros(2, 3)
    places = Positions(torch.zeros(2, 4), *(torch.tensor([1, 2]),) * 3)
    assert own_read_out(places, own) is own


def test_selected_places_keep_their_columns_together() -> None:
    places = Positions(
        torch.arange(6.0).reshape(3, 2),
        torch.tensor([10, 11, 12]),
        torch.tensor([-1, 10, 11]),
        torch.tensor([0, 0, 1]),
    )
    chosen = places.select(torch.tensor([2, 0]))
    assert chosen.hidden.tolist() == [[4, 5], [0, 1]]
    assert chosen.current.tolist() == [12, 10]
    assert chosen.previous.tolist() == [11, -1]
    assert chosen.request.tolist() == [1, 0]
    assert len(places.select(slice(1, 3))) == 2
