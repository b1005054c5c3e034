from service.http.histogram import Histogram


def test_numbers_are_counted_up_to_the_bound_that_they_do_not_exceed() -> None:
    histogram = Histogram((0.5, 1.0, 2.5))
    for number in (0.1, 0.5, 0.6, 2.5, 2.6, 9.0):
        histogram.add(number)
    assert histogram.cumulated() == [("0.5", 2), ("1.0", 3), ("2.5", 4), ("+Inf", 6)]
    assert histogram.total == 0.1 + 0.5 + 0.6 + 2.5 + 2.6 + 9.0
