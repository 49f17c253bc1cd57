"""Teaching a model what has changed in its graph."""
