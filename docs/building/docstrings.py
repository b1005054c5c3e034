"""The extension by which mkdocstrings reads the docstrings of this project."""

from typing import Any

import griffe

from docs.building.markup import rewritten


class Docstrings(griffe.Extension):
    """Rewrites every docstring before it is parsed."""

    def on_instance(self, *, obj: griffe.Object, **_others: Any) -> None:
        """Rewrite the docstring of a module, a class, a function or an attribute."""
        if obj.docstring is not None:
            obj.docstring.value = rewritten(obj.docstring.value)
