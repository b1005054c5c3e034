"""``python -m training evaluate``: models scored side by side, and written down for people."""
