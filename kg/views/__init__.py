"""What is asked of a graph: cards, paths, queries, differences."""
