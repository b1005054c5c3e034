"""Whether the process has been told to stop, and answers what is still under way."""

from typing import Annotated

from service.http.state import from_state


class Draining:
    """Set once, by the server; read by readiness.

    Attributes
    ----------
    begun : whether the process has been told to stop.
    """

    def __init__(self) -> None:
        self.begun = False


DrainingDep = Annotated[Draining, from_state("draining")]
