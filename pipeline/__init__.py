"""Runs: project file, artifacts, order of stages, words to the user, statistics, reports."""
