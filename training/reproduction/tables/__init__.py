"""The paper's tables, a module each."""

from training.reproduction.forecasts import Results
from training.reproduction.table import Table
from training.reproduction.tables import (
    attempts,
    diebold_mariano,
    hurst,
    main_results,
    moments,
    parameters,
    transfer,
)

_MODULES = (hurst, moments, main_results, transfer, attempts, diebold_mariano, parameters)


def tables_of(results: Results) -> list[Table]:
    """Tables 1 to 7."""
    return [module.table(results) for module in _MODULES]
