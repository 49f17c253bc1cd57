"""Documents: texts to link, and texts with gold mentions."""
