import inspect

from volatility import errors
from volatility.errors import Finding, HistoryTooShort, InvalidBars, InvalidInput, InvalidSeries


def error_classes():
    return [
        item
        for _, item in inspect.getmembers(errors, inspect.isclass)
        if issubclass(item, errors.RoughcastError)
    ]


def test_every_error_has_a_code_of_its_own():
    codes = [error.code for error in error_classes()]
    assert len(set(codes)) == len(codes)
    assert all(code.replace("_", "").islower() for code in codes)


def test_the_tree_at_the_top_of_the_module_is_the_tree():
    for error in error_classes():
        assert error.__name__ in errors.__doc__


def test_an_error_carries_what_a_problem_document_needs():
    error = HistoryTooShort("22 needed; got 17", field="history", found=17, needed="22 sessions")
    assert (error.code, error.field, error.found, error.needed) == (
        "history_too_short",
        "history",
        17,
        "22 sessions",
    )
    assert str(error) == "22 needed; got 17"
    assert isinstance(error, InvalidInput)


def test_a_code_given_holds_for_one_error_alone():
    assert InvalidSeries("rv", code="non_finite_rv").code == "non_finite_rv"
    assert InvalidSeries("rv").code == "invalid_series"


def test_invalid_bars_say_everything_and_take_the_first_code():
    findings = [
        Finding("high_below_low", "error", "high", "high 1.0 below low 2.0 at bar 3", "more", 3),
        Finding("duplicate_dates", "error", "timestamps", "2021-01-02 again", "once", 5, 2),
    ]
    error = InvalidBars(findings)
    assert error.code == "high_below_low"
    assert error.field == "high"
    assert error.needed == "more"
    assert error.findings == tuple(findings)
    assert str(error) == (
        "high: high 1.0 below low 2.0 at bar 3; needed: more; "
        "timestamps: 2021-01-02 again (2 in all); needed: once"
    )
