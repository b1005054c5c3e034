import asyncio
import time

from service.operations.collectors import event_loop
from service.operations.collectors.event_loop import LoopLag
from tests.service.operations.samples import samples_of

NAME = "roughcast_event_loop_lag_seconds"


def test_what_keeps_the_loop_is_a_timer_that_comes_too_late() -> None:
    lag = LoopLag()

    async def stall() -> None:
        async with lag.watching():
            await asyncio.sleep(0.25)
            time.sleep(0.6)  # noqa: ASYNC251
            await asyncio.sleep(0.15)

    asyncio.run(stall())
    found = samples_of(lag)
    assert found[f"{NAME}_count",] >= 3
    late = found[f"{NAME}_bucket", "+Inf"] - found[f"{NAME}_bucket", "0.25"]
    assert late >= 1
    assert 0.4 < found[f"{NAME}_sum",] < 60


def test_no_timer_is_left_when_the_service_stops() -> None:
    async def serve() -> set[asyncio.Task[None]]:
        async with LoopLag().watching():
            during = asyncio.all_tasks() - {asyncio.current_task()}
        assert len(during) == 1
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(serve()) == set()


def test_a_timer_is_set_ten_times_a_second() -> None:
    assert event_loop._BETWEEN == 0.1
    assert tuple(sorted(event_loop.BUCKETS)) == event_loop.BUCKETS
