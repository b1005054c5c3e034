"""The commands of ``roughcast``: those of its own, and those that are passed on.

Modules that take time to load are loaded when a command runs: help comes at once.
"""
