"""Options as argparse reads them, with a word for those that are misspelled."""

import argparse
from collections.abc import Sequence
from typing import Any

from volatility.names import did_you_mean


class Parser(argparse.ArgumentParser):
    """A parser that says which option or command may have been meant."""

    def parse_known_args(  # type: ignore[override]  # of overloads by namespace, which none gives
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Refuse an option that there is not, with the nearest one that there is."""
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            known = [it for action in self._actions for it in action.option_strings]
            first = next((it for it in unknown if it.startswith("-")), unknown[0])
            hint = did_you_mean(first.partition("=")[0], known)
            self.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
        return options, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            hint = did_you_mean(str(value), [str(it) for it in action.choices or ()])
            raise argparse.ArgumentError(action, f"{error.message}{hint}") from None
