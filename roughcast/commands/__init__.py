"""One module a command of ``roughcast``."""
