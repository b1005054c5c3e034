"""Simulate the limit of a mean over its kernel standard error: `fixed_b.json`."""

import json
import math
from pathlib import Path

import numpy as np

from volatility.evaluation import fixed_b

SHARES = (0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
NORMAL_SCORES = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
STEPS = 1_000  # of a path of white noise, whose partial sums are nearly Brownian
BATCH = 1_000  # paths at once
SEED = 2005
FILE = Path(fixed_b.__file__).with_name(fixed_b.TABLE)


def write_limit(paths: int = 1_000_000) -> None:
    """Simulate the table and write it."""
    content = {
        "command": "python -m benchmarks.evaluation_tables --fixed-b",
        "steps": STEPS,
        "paths": paths,
        "seed": SEED,
        "shares": SHARES,
        "normal_scores": NORMAL_SCORES,
        "ratios": np.round(simulated_ratios(paths), 4).tolist(),
    }
    FILE.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


def simulated_ratios(paths: int) -> np.ndarray:
    """Quantiles of the ratio's absolute value over normal ones; (shares, scores)."""
    rng = np.random.default_rng(SEED)
    found = np.concatenate([_batch(rng) for _ in range(math.ceil(paths / BATCH))], axis=1)
    levels = [1.0 - math.erfc(score / math.sqrt(2.0)) for score in NORMAL_SCORES]
    return np.quantile(found, levels, axis=1).T / NORMAL_SCORES


def _batch(rng: np.random.Generator) -> np.ndarray:
    """Ratios of one batch of paths; (shares, paths)."""
    noise = rng.standard_normal((BATCH, STEPS), dtype=np.float32)
    means = noise.mean(axis=1)
    sums = np.cumsum(noise - means[:, None], axis=1)
    squares = np.einsum("ij,ij->i", sums, sums)
    rows = []
    for share in SHARES:
        reach = round(share * STEPS)
        cross = np.einsum("ij,ij->i", sums[:, : STEPS - reach], sums[:, reach:])
        variance = 2.0 * (squares - cross) / (STEPS * reach)
        rows.append(np.abs(means) / np.sqrt(variance / STEPS))
    return np.array(rows)
