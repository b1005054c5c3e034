"""Everything that a run leaves in its folder."""

import csv
import io
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from training.config import flatten
from training.files import write_atomically
from training.reports.page import page
from training.reproduction.answers import Answer, answers_of
from training.reproduction.figures import alphas_of, figures_of
from training.reproduction.forecasts import Results
from training.reproduction.paper_report import report_of
from training.reproduction.table import Table
from training.reproduction.tables import tables_of

COLUMNS = (
    "item",
    "quantity",
    "printed",
    "protocol",
    "mean",
    "deviation",
    "lowest",
    "highest",
    "seeds",
    "nobs",
    "how",
)


def write_output(results: Results, folder: Path, *, quick: bool) -> list[Answer]:
    """Write tables, figures and reports below ``folder``; returns the answers."""
    tables, figures = tables_of(results), figures_of(results)
    answers = answers_of(results)
    report = report_of(results, tables, figures, answers, quick=quick)
    files = {figure.file: figure.svg for figure in figures}
    files |= {f"table_{table.number}_{table.slug}.csv": to_csv(table) for table in tables}
    files["results.json"] = to_json(results, tables, answers, quick=quick)
    files["report.md"] = report.encode()
    files["report.html"] = page(report, figures)
    for name, content in files.items():
        write_atomically(folder / name, content)
    return answers


def to_csv(table: Table) -> bytes:
    """A row for each quantity and protocol; the printed numbers stand in a column of their own."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_records(table))
    return text.getvalue().encode()


def to_json(
    results: Results, tables: Sequence[Table], answers: Sequence[Answer], *, quick: bool
) -> bytes:
    """The same numbers with every seed's, the configuration and the answers."""
    content = {
        "config": flatten(results.config),
        "quick": quick,
        "seeds": list(results.seeds),
        "data_sha256": dict(results.data.sha256),
        "tables": [_table(table) for table in tables],
        "hybrid_alpha": alphas_of(results),
        "answers": [
            {"question": one.question, "short": one.short, "reasons": list(one.reasons)}
            for one in answers
        ],
    }
    return json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False).encode()


def _records(table: Table) -> Iterator[dict[str, Any]]:
    for row in table.rows:
        for protocol, cell in row.cells.items():
            lowest, highest = cell.range
            yield {
                "item": row.item,
                "quantity": row.quantity.name,
                "printed": row.printed,
                "protocol": str(protocol),
                "mean": _number(cell.mean),
                "deviation": _number(cell.deviation),
                "lowest": _number(lowest),
                "highest": _number(highest),
                "seeds": len(cell.values),
                "nobs": cell.nobs,
                "how": table.how[protocol],
            }


def _table(table: Table) -> dict[str, Any]:
    return {
        "number": table.number,
        "title": table.title,
        "how": {str(protocol): how for protocol, how in table.how.items()},
        "rows": [
            {
                "item": row.item,
                "quantity": row.quantity.name,
                "printed": row.printed,
                "protocols": {
                    str(protocol): {
                        "values": [_number(value) for value in cell.values],
                        "nobs": cell.nobs,
                    }
                    for protocol, cell in row.cells.items()
                },
            }
            for row in table.rows
        ],
        "notes": list(table.notes),
    }


def _number(value: float) -> float | None:
    """JSON and CSV have no word for what is not a number."""
    return None if math.isnan(value) else value
