"""What goes in and out over HTTP, one module a route.

Requests are pydantic models, strict and closed: an unknown field or a number in a string is
refused.
Answers are typed dictionaries: they are built thousands at a time, from values that are known.
"""
