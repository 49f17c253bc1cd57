"""infact: put a knowledge graph's facts into a language model, and prove fact by fact what each route gained, broke and cost."""

__version__ = "0.1.0"
