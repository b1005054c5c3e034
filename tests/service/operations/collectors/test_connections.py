from service.http.connections import ConnectionTally
from service.operations.collectors.connections import ConnectionMetrics
from tests.service.operations.samples import samples_of


def test_connections_are_told_by_why_they_were_refused() -> None:
    tally = ConnectionTally()
    tally.open = 4
    tally.refused.update(overloaded=2, head_too_slow=3)
    found = samples_of(ConnectionMetrics(tally))
    assert found.pop(("roughcast_connections_open",)) == 4
    assert {labels: number for labels, number in found.items() if number} == {
        ("roughcast_connections_refused_total", "overloaded"): 2,
        ("roughcast_connections_refused_total", "head_too_slow"): 3,
    }
    assert ("roughcast_connections_refused_total", "url_too_long") in found
