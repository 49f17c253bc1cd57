"""Symbols: RDF and text in; ids, mentions, sentences and questions out. Loads no torch."""
