from training.evaluation.headings import markdown_table, percent


def test_a_markdown_table() -> None:
    table = markdown_table([1, 22], {"model": str, "square": lambda n: str(n**2), "in set": repr})
    assert table == [
        "| model | square | in set |",
        "|---|---:|:-:|",
        "| 1 | 1 | 1 |",
        "| 22 | 484 | 22 |",
    ]
    assert (percent(0.8041), percent(None)) == ("80.4%", "–")
