"""A running service, asked by name."""
