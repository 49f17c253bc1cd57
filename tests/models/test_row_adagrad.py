import torch
from infact.models.row_adagrad import RowAdagrad
from torch import nn
from torch.nn import functional as F

ROWS, WIDTH, STEPS = 30, 4, 25


def test_it_is_dense_adagrad_and_touches_no_other_row() -> None:
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(ROWS, WIDTH, generator=generator)
    tables = [nn.Parameter(start.clone()) for _ in range(3)]
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.Adagrad(tables[:1], lr=0.1),  # the oracle, on dense gradients
        RowAdagrad(tables[1:2], 0.1),
        RowAdagrad(tables[2:], 0.1),
    ]
    for _ in range(STEPS):
        rows = torch.randint(ROWS - 10, (8,), generator=generator)  # some twice, the last ten never
        target = torch.randn(8, WIDTH, generator=generator)
        for table, optimizer, sparse in zip(tables, optimizers, (False, True, False), strict=True):
            optimizer.zero_grad()
            (F.embedding(rows, table, sparse=sparse) - target).square().sum().backward()
            assert table.grad is not None
            assert table.grad.is_sparse == sparse
            optimizer.step()
    torch.testing.assert_close(tables[1], tables[0], rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(tables[2], tables[0], rtol=1e-6, atol=1e-7)
    assert torch.equal(tables[1][ROWS - 10 :], start[ROWS - 10 :])
    assert not torch.equal(tables[1][: ROWS - 10], start[: ROWS - 10])


def test_its_rate_is_the_groups() -> None:
    table = nn.Parameter(torch.zeros(2, 2))
    optimizer = RowAdagrad([table], 0.1)
    optimizer.param_groups[0]["lr"] = 0.5
    table.grad = torch.tensor([[2.0, 0.0], [0.0, -3.0]])
    optimizer.step()
    torch.testing.assert_close(table.detach(), torch.tensor([[-0.5, 0.0], [0.0, 0.5]]))
