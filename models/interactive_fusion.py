"""Interactive fusion: the text and a small stream of the graph exchange at three or more blocks.

    n_f = W_r · relation_f + W_e · vector_f + W_l · mean label_f               before the first of them
    n_f ← n_f + W_a · attention(n_f; n_g of all g whose mention ends no later)  graph ← graph
    n_f ← n_f + W_m · gelu(W_t · h at the end of f's mention + W_n · n_f)      graph ← text
    h   ← h + |h| · c ⊙ Σ_{f,j} a_{f,j} written_{f,j}                          text ← graph
    a: see `label_reading`, of facts keyed by  own_f = W_k · n_f

    text   h ──► block ──► (+) ──► block ──► (+) ──►
                   │        ▲        │        ▲
                   ▼        │        ▼        │
    nodes  n ──► (+) ───────┴────► (+) ───────┴────►

A node is a fact, and nodes are a set: they have no order. Exchange at several layers is ERNIE's (Zhang
et al. 2019) and GreaseLM's (Zhang et al. 2022), which write over one token's and one node's states;
here all facts and all places take part, and everything is added. A node steers which labels the text
reads and is no value itself: with W_o · W_v n_f added, the answers' mean was learnt and copying was not
(new entities' facts 24 % right of four, without it 74 %; test_fused_answering's world and settings).
The gates c begin at zero: the model is the base's to the bit until it is trained. W_a and W_m do too, so
that facts begin apart, as attention fusion reads them. With 16.7 facts a question (docs/fusion.md) that
made the loss fall (by epoch 2.80, 2.50, 2.27; without it 2.65, 2.72, 2.59) and no more answers right: it
needs more than three epochs there, and how fast it learns differs much by seed.

The text tells a node what it has made of the mention at the mention's last token: in a causal model
that is the only one which has seen it all, and where such models gather what they know of a subject
(Meng et al. 2022); in an encoder any has. A fact of no mention reads the text's first token. As no node
hears of a mention that ends after its own, nothing is read ahead. Nodes are kept by request for passes
that go on from a cache.

It fails where attention fusion does, and needs a base that has made something of the mention by the
first chosen block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor, nn

from .fact_vectors import FactVectors
from .fusion_session import TextRun
from .fusion_strategy import FusionSizes, FusionStrategy
from .label_reading import LabelReader, LabelSlots, added


@dataclass(frozen=True)
class GraphStream:
    """Facts of B rows as nodes. Shapes: F facts, W = H·K width of a node.

    Attributes:
        nodes: (B, F, W) before the text has told them anything.
        slots: for each layer, the label tokens.
        hears: (B, 1, F, F) whether the first node hears the second.
        there, read_from: (B, F) see `FactVectors`.
    """

    nodes: Tensor
    slots: dict[int, LabelSlots]
    hears: Tensor
    there: Tensor
    read_from: Tensor


class Exchange(nn.Module):
    """What passes between text and graph behind one block."""

    def __init__(self, sizes: FusionSizes) -> None:
        super().__init__()
        width = sizes.width
        self.node_norm = nn.LayerNorm(width)
        self.heard = nn.Linear(width, 3 * width, bias=False)
        self.joined = nn.Linear(width, width, bias=False)
        self.text_norm = nn.LayerNorm(sizes.hidden)
        self.of_text = nn.Linear(sizes.hidden, width)
        self.of_node = nn.Linear(width, width, bias=False)
        self.met = nn.Linear(width, width, bias=False)
        self.node_key = nn.Linear(width, width, bias=False)
        self.reader = LabelReader(sizes)
        # Zero, so that facts begin apart: see the module.
        nn.init.zeros_(self.joined.weight)
        nn.init.zeros_(self.met.weight)

    def updated(self, nodes: Tensor, mentioned: Tensor, hears: Tensor) -> Tensor:
        """The nodes (B, F, W) after each other and the text.

        Args:
            nodes: (B, F, W).
            mentioned: (B, F, D) the text's states at the ends of the nodes' mentions.
            hears: see `GraphStream`.
        """
        parts = self.heard(self.node_norm(nodes)).chunk(3, dim=-1)
        query, key, value = (self.reader.by_head(part).transpose(1, 2) for part in parts)
        heard = nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=hears)
        nodes = nodes + self.joined(heard.transpose(1, 2).flatten(2))
        text = self.of_text(self.text_norm(mentioned.to(nodes.dtype)))
        return nodes + self.met(nn.functional.gelu(text + self.of_node(nodes)))

    def forward(self, hidden: Tensor, run: TextRun, nodes: Tensor, slots: LabelSlots) -> Tensor:
        """Hidden states (B, Q, D) with the labels added that the nodes (B, F, W) lead to."""
        attention = self.reader.attention(hidden, run, self.node_key(nodes), slots)
        return added(hidden, self.reader.copied_labels(attention, slots))


class InteractiveFusion(FusionStrategy):
    """One `Exchange` for each chosen layer, and the nodes that pass through all."""

    name = "interactive"

    def __init__(self, sizes: FusionSizes, relation_keys: Tensor, object_vectors: Tensor) -> None:
        super().__init__(sizes, relation_keys, object_vectors)
        self.of_relation = nn.Linear(sizes.hidden, sizes.width, bias=False)
        self.of_vector = nn.Linear(sizes.vector, sizes.width, bias=False)
        self.of_label = nn.Linear(sizes.hidden, sizes.width, bias=False)
        self.exchanges = nn.ModuleDict({str(layer): Exchange(sizes) for layer in sizes.layers})

    @property
    def softmaxes(self) -> dict[int, nn.Module]:
        return {layer: self._exchange(layer).reader.softmax for layer in self.layers}

    def prepare(self, facts: FactVectors) -> GraphStream:
        nodes = self.of_relation(facts.relation) + self.of_vector(facts.vector)
        ends, there = facts.read_from, facts.there
        hears = (ends[:, None] <= ends[:, :, None]) & there[:, None]
        # Padding hears itself: attention to nothing is no number.
        hears = hears | torch.eye(there.shape[1], dtype=torch.bool, device=there.device)
        return GraphStream(
            nodes + self.of_label(facts.mean_label),
            {layer: self._exchange(layer).reader.prepare(facts) for layer in self.layers},
            hears[:, None],
            there,
            ends,
        )

    def at_block(self, layer: int, hidden: Tensor, run: TextRun, facts: Any) -> Tensor:
        nodes = self._nodes(layer, hidden, run, facts)
        run.carried[layer] = nodes
        found: Tensor = self._exchange(layer)(hidden, run, nodes, facts.slots[layer])
        return found

    def _nodes(self, layer: int, hidden: Tensor, run: TextRun, facts: GraphStream) -> Tensor:
        """(B, F, W) behind this block: those told in this pass, and as kept those told before."""
        kept = run.states.kept(layer, run.requests, facts.nodes)
        ends_here = run.places[:, :, None] == facts.read_from[:, None]
        told = ends_here.any(dim=1) & facts.there
        if not told.any():
            return kept
        rows = torch.arange(len(told), device=told.device)[:, None]
        mentioned = hidden[rows, ends_here.int().argmax(dim=1)]
        earlier = [other for other in self.layers if other < layer]
        before = run.carried[earlier[-1]] if earlier else facts.nodes
        nodes = self._exchange(layer).updated(before, mentioned, facts.hears)
        run.states.keep(layer, run.requests, told, nodes)
        return torch.where(told[..., None], nodes, kept)

    def _exchange(self, layer: int) -> Exchange:
        return cast(Exchange, self.exchanges[str(layer)])
