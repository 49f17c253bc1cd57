"""Texts from files, one document after another, and their mentions in the formats that others read."""
