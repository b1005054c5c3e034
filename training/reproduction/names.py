"""Names of models for people."""

from collections.abc import Mapping
from types import MappingProxyType

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "last_value": "Last value",
        "moving_average": "Moving average (5)",
        "har": "HAR",
        "har_of_training_part": "HAR (training part alone)",
        "lstm": "LSTM (from scratch)",
        "transfer": "Transfer LSTM (frozen)",
        "transfer_full": "Transfer LSTM (full)",
        "transfer_differential": "Differential LR",
        "transfer_gradual": "Gradual unfreezing",
        "transfer_aggressive": "Aggressive fine-tune",
        "hybrid": "HAR-LSTM hybrid",
        "dynamic_attention": "Dynamic attention",
        "residual_boosting": "Residual boosting †",
        "regime_ensemble": "Regime ensemble †",
        "transfer_residual": "Transfer residual †",
    }
)
