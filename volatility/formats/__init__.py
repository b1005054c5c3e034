"""Bars in any layout that exchanges, vendors and spreadsheets emit: read, and said how."""
