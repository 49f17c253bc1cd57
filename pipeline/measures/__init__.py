"""Measures: what rows of answers come to, with intervals and tests. No files, no words."""
