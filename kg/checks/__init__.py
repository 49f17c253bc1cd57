"""Rules that a graph is held to, and what they find."""
