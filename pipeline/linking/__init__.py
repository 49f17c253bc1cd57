"""Linking without a project: documents in, mentions out, and how they compare with gold ones."""
