"""Every table of infact.toml as a frozen model."""
