"""The pages' templates, styles and script, and the published schema of report.json."""
