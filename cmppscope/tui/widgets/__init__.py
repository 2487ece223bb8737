"""The panes' widgets, one a file."""
