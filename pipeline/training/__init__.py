"""Stages that train: what each teaches with, and the runs of its training loop."""
