"""Of what is too long to be repeated the beginning is."""

from service.http.cutting import cut, cut_name, cut_sentence


def test_a_text_is_repeated_up_to_its_length_and_cut_behind_it() -> None:
    assert (cut("a" * 200), cut("a" * 201)) == ("a" * 200, "a" * 200 + "…")
    assert (cut("abc", 3), cut("abcd", 3)) == ("abc", "abc…")
    assert (cut_sentence("a" * 4_000), cut_sentence("a" * 4_001)) == (
        "a" * 4_000,
        "a" * 4_000 + "…",
    )
    assert (cut_name(None), cut_name(""), cut_name("a" * 201)) == (None, "", "a" * 200 + "…")
