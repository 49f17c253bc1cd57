"""`infact embed` without a project, and what its vectors are good for: split, run, measures, prediction."""
