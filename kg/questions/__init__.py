"""Facts as questions, sentences and prompts."""
