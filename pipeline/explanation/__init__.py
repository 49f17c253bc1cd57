"""Reasons: what a model attended to, each part beside what knocking it out does."""
