import json
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ROOMS = ("volatility", "models_store", "training", "service")

# Not rich: structlog loads it by itself wherever it is installed.
HEAVY = {
    *("arch", "joblib", "matplotlib", "openpyxl", "pandas", "pyarrow"),
    *("scipy", "sklearn", "statsmodels"),
    *("onnx", "onnxscript", "torch"),
}

REPORT_MODULES = """
import json, sys
import service.app, service.server
from service.assets.holdings import shipped
list(shipped())  # as a first start does
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_the_arrows_between_the_rooms_hold():
    contracts = PYPROJECT["tool"]["importlinter"]["contracts"]
    layers = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    assert ["service | training", "models_store", "volatility"] in layers
    sources = {room for contract in contracts for room in contract.get("source_modules", ())}
    assert sources >= set(ROOMS)

    lint_imports = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [lint_imports, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout
    assert f"Contracts: {len(contracts)} kept, 0 broken." in result.stdout


def test_importing_the_service_loads_neither_training_nor_its_libraries():
    result = subprocess.run(
        [sys.executable, "-c", REPORT_MODULES], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(json.loads(result.stdout))
    assert "service" in loaded
    assert not loaded & (HEAVY | {"training"})
