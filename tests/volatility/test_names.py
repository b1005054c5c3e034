from volatility.names import did_you_mean, in_percent

KNOWN = ("har", "log_har", "SPX", "BTC-USD")


def test_the_nearest_name_is_told_whatever_its_case() -> None:
    assert did_you_mean("log_hra", KNOWN) == "; did you mean 'log_har'?"
    assert did_you_mean("spy", KNOWN) == "; did you mean 'SPX'?"
    assert did_you_mean("btcusd", KNOWN) == "; did you mean 'BTC-USD'?"


def test_nothing_is_said_where_none_is_near() -> None:
    assert did_you_mean("transformer", KNOWN) == ""
    assert did_you_mean("har", ()) == ""


def test_shares_are_named_in_percent() -> None:
    assert [in_percent(it) for it in (0.8, 0.55, 0.995, 0.99995)] == ["80", "55", "99.5", "99.995"]
