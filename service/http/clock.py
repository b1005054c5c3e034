"""Where the time comes from."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

from service.http.state import from_state

Clock = Callable[[], datetime]  # the present time, with its zone

utc_now: Clock = partial(datetime.now, UTC)
ClockDep = Annotated[Clock, from_state("clock")]
