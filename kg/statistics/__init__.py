"""Counts that tell what kind of graph it is."""
