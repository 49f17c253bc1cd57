"""Linking without a project: documents in, mentions out."""
