"""Where the time comes from."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated

from service.http.state import from_state

Clock = Callable[[], datetime]  # the present time, with its zone

utc_now: Clock = partial(datetime.now, UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ClockDep = Annotated[Clock, from_state("clock")]


def microseconds(moment: datetime) -> int:
    """Microseconds from 1970 in UTC to a moment, which is in UTC where it has no time zone."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = aware - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def moment_of(number: int) -> datetime:
    """The moment so many microseconds after 1970, in UTC."""
    return _EPOCH + timedelta(microseconds=number)
