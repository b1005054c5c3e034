"""Protocols that existing clients speak, in front of the same core as ``POST /forecast``."""
