"""Mentions of entities in text."""
