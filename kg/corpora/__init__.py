"""Texts from files, one document after another, with mentions that were found or are gold."""
