"""Asking: every arm answers the same questions, one row an answer; or one model one file of facts."""
