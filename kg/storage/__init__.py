"""Statements as a store, tables and snapshots."""
