# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     name: python3
#     display_name: Python 3
# ---

# %% [markdown]
# # Rough volatility in ten minutes
#
# Is volatility rougher than a Brownian motion? Many series say so, and some of them because of how they were
# measured. This page measures one, looks at it, estimates how rough it is, and shows what fools the estimate.
#
# It is a script, `docs/notebooks/rough_volatility.py`; Jupyter opens it with jupytext.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import roughcast
from volatility.simulation.fractional import rough_log_volatility
from volatility.simulation.multiscale import heterogeneous_autoregression

bars = roughcast.dataset("SPX")
rv = roughcast.measure(bars)  # Parkinson's: of each day's high and low
rv.tail(3)

# %% [markdown]
# `rv` is the variance of a day. Volatility is its root; what is studied is its logarithm, half of `log(rv)`.

# %% alt="Log volatility of the S&P 500 from 2000 to 2020: ragged, with peaks in 2008 and 2020"
log_volatility = np.log(rv) / 2
ax = log_volatility.plot(linewidth=0.5, figsize=(8, 3), xlabel="", ylabel="log volatility per day")
ax.set_title("S&P 500, Parkinson's measure")

# %% [markdown]
# ## The scaling law
#
# If volatility is driven by fractional Brownian motion with Hurst exponent H, the mean squared change over τ sessions grows as
# τ to the power 2H. On logarithmic axes that is a line, and its slope is 2H. A Brownian motion has H = 1/2.

# %% alt="Mean squared change of log volatility against the lag, both on logarithmic axes: nearly a line, far flatter than that of a Brownian motion"
lags = np.arange(1, 51)
changes = pd.Series([(log_volatility.diff(lag) ** 2).mean() for lag in lags], lags)
slope, _ = np.polyfit(np.log(lags[:20]), np.log(changes[:20]), 1)

_, ax = plt.subplots(figsize=(6, 4))
ax.loglog(lags, changes, ".", label="S&P 500")
ax.loglog(lags, changes[1] * lags**slope, label=f"slope {slope:.2f}: H = {slope / 2:.2f}")
ax.loglog(lags, changes[1] * lags**1.0, ":", color="0.5", label="Brownian: H = 0.5")
ax.set_xlabel("lag, sessions")
ax.set_ylabel("mean squared change")
ax.legend()

# %% [markdown]
# That is very rough. But a day's range is a noisy measure of its variance, and noise is the roughest thing there is: it adds
# the same amount at every lag, which flattens the line.
#
# ## Six estimators and a verdict
#
# `roughcast.hurst` takes weekdays and half days out, runs six estimators with standard errors, and compares a rough model with one of
# two time scales. The last estimator, `variogram_corrected`, takes the noise of the measure out.

# %%
report = roughcast.hurst(rv)
report

# %% alt="Six estimates of the Hurst exponent with intervals: five near 0.07, the one that is corrected for noise at 0.14"
report.plot()

# %% [markdown]
# Five estimators agree on 0.07 with small standard errors, and are wrong together: without the noise it is twice as much. And the
# verdict is not *rough*: a process with two time scales, one of days and one of a year, is likelier.
#
# ## What fools an estimate
#
# Two simulated series of twenty years. The first is rough, with H = 0.1. The second is a HAR: a mean of the last day, week and
# month. It has no roughness at all, and no Hurst exponent.

# %%
rng = np.random.default_rng(7)
sessions = pd.bdate_range("2000-01-03", periods=5_000)
[rough] = rough_log_volatility(0.1, len(sessions), rng)
[har] = heterogeneous_autoregression([0.35, 0.3, 0.3], len(sessions), rng)
paths = {"rough, H = 0.1": rough, "HAR": np.log(0.01) + 0.25 * har}

simulated = {
    name: roughcast.hurst(
        pd.Series(np.exp(2 * path), sessions),
        calendar="24/5",
        measure="realized_variance",
        intraday_nobs=100_000,  # returns in a day: so many that there is no noise
    )
    for name, path in paths.items()
}
for name, found in simulated.items():
    print(f"{name:15} H = {found.hurst:.2f}; verdict: {found.verdict}")

# %% [markdown]
# The exponent does not tell them apart, by any estimator; the likelihood of one model against the other does. That is why an
# answer has a verdict and a reason beside the number. What each estimator is worth, at which length, is in [Is volatility rough?](../hurst.md).
