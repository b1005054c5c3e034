"""How much of what callers write comes back to them, and into the log.

A name or a field of a body may be as long as the body: an answer that repeated it would be as long
again for each place that it stands in, and be written on the event loop.
"""

LONGEST_NAME = 200  # characters of a name, a field or a value that are worth repeating
LONGEST_PART = 100  # of one part of a field's name
LONGEST_SENTENCE = 4_000  # of a sentence, in which such names stand


def cut(text: str, longest: int = LONGEST_NAME) -> str:
    """The text, or its beginning."""
    return text if len(text) <= longest else text[:longest] + "…"


def cut_sentence(text: str) -> str:
    """A sentence, or its beginning."""
    return cut(text, LONGEST_SENTENCE)


def cut_name(text: str | None) -> str | None:
    """A name that may be missing, or its beginning."""
    return None if text is None else cut(text)
