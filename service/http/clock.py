"""Where the time comes from."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

Clock = Callable[[], datetime]  # the present time, with its zone

utc_now: Clock = partial(datetime.now, UTC)
