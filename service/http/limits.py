"""How much of requests' bodies is read, and how much of them is in memory at one time."""

import numpy as np

from service.http.errors import BodyTooLarge, Overloaded

_BEFORE_VALUES = (b",", b"{", b"[")


class BodyLimits:
    """How much of bodies is read.

    Parameters
    ----------
    most_bytes : of one body.
    most_values : of one body, told by its commas and opening brackets, in whatever language.
    most_held : bytes of all long bodies that are in memory at one time.

    Attributes
    ----------
    held : bytes of long bodies that are in memory, or about to be.
    """

    def __init__(self, most_bytes: int, most_values: int, most_held: int) -> None:
        self.most_bytes = most_bytes
        self.most_values = most_values
        self.most_held = most_held
        self.held = 0

    def too_large(self, found: str) -> BodyTooLarge:
        """What to say of a body of more bytes than are read."""
        return BodyTooLarge(
            f"the body has {found}; at most {self.most_bytes} are accepted",
            field="body",
            found=found,
            needed=f"at most {self.most_bytes} bytes",
        )

    def check_values(self, number: int) -> None:
        """Refuse a body of more values than are read.

        Raises
        ------
        BodyTooLarge : it has more.
        """
        if number > self.most_values:
            raise BodyTooLarge(
                f"the body has more than {self.most_values} values",
                code="too_many_values",
                field="body",
                needed=f"at most {self.most_values} values",
            )

    def hold(self, number: int) -> None:
        """Count bytes of a long body, as they come or are about to.

        Raises
        ------
        Overloaded : there is no room for them.
        """
        if self.held + number > self.most_held:
            raise Overloaded(
                f"long bodies of other requests take or need {self.held} bytes of memory; at most "
                f"{self.most_held} are held at one time. Try again later",
                field="body",
                needed="room for the body",
            )
        self.held += number


def values_in(part: bytes | bytearray) -> int:
    """How many values a part of a body has, told by its commas and opening brackets."""
    return sum(count_of(it, part) for it in _BEFORE_VALUES)


def count_of(character: bytes, part: bytes | bytearray) -> int:
    """How often a character stands in a part of a body: numpy counts six times as fast."""
    return int(np.count_nonzero(np.frombuffer(part, dtype=np.uint8) == ord(character)))
