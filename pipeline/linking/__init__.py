"""Linking without a project: what it found, held against what people found."""
