"""Sources in every format, as statements."""
