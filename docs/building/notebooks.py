"""A notebook, kept as a script in the percent format, run and written as Markdown."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jupytext
from nbclient import NotebookClient

SECONDS = 300  # that a cell may take


def run(script: Path, folder: Path) -> tuple[str, dict[str, bytes]]:
    """Run a notebook in a folder.

    Returns
    -------
    The page, and its figures by name. A cell's figure is described by its metadata ``alt``, as in
    ``# %% alt="…"``.

    Raises
    ------
    nbclient.exceptions.CellExecutionError : a cell failed.
    ValueError : a figure without a description.
    """
    notebook = jupytext.read(script)
    NotebookClient(
        notebook,
        timeout=SECONDS,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],  # not that the loopback address is not encrypted
        resources={"metadata": {"path": folder}},
    ).execute()
    figures: dict[str, bytes] = {}
    page = "\n\n".join(
        part for cell in notebook.cells for part in _parts(cell, script.stem, figures)
    )
    return page + "\n", figures


def _parts(cell: Any, name: str, figures: dict[str, bytes]) -> Iterator[str]:
    if cell.cell_type == "markdown":
        yield cell.source
        return
    yield f"```python\n{cell.source}\n```"
    draws = any("image/png" in output.get("data", {}) for output in cell.outputs)
    for output in cell.outputs:
        if draws and output.output_type == "execute_result":
            continue  # the axes
        if output.output_type == "stream":
            yield f"```text\n{output.text.rstrip()}\n```"
            continue
        data = output.data
        if "image/png" in data:
            if "alt" not in cell.metadata:
                raise ValueError(f"{name}: a figure without a description: {cell.source!r}")
            file = f"{name}-{len(figures) + 1}.png"
            figures[file] = base64.b64decode(data["image/png"])
            yield f"![{cell.metadata['alt']}]({file})"
        elif "text/html" in data:
            yield re.sub(r"<style.*?</style>\n?", "", data["text/html"], flags=re.DOTALL)
        else:
            yield f"```text\n{data['text/plain']}\n```"
