"""Tensors: arrays and token ids in; weights and scores out. Knows no RDF."""
