# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     name: python3
#     display_name: Python 3
# ---

# %% [markdown]
# # Transfer that works
#
# Does what one market teaches help in another? From one market to one, no: networks that were pre-trained on the S&P 500 do not
# forecast Bitcoin better than the same networks from scratch. From many to any, yes. This page shows both on shipped data.

# %%
import numpy as np
import pandas as pd

import roughcast
from models_store.shipped import shipped_artifacts
from models_store.store import Store
from training.publishing.served_models import ServedModels

# %% [markdown]
# ## A forecast without training
#
# The universal model learned on 53 stocks, funds, indices, currencies and coins. It sees a series without its scale, so that it can
# forecast one that it has never met, from 22 sessions on.

# %%
bars = roughcast.dataset("SPX")
short = bars.tail(22)
roughcast.forecast(short, levels=[0.8]).to_frame()

# %% [markdown]
# Without its scale means: an asset whose returns are three times as large gets three times the forecast.

# %%
wild = np.exp(3 * np.log(short / short["open"].iloc[0])) * 100
wild.attrs = short.attrs
calm, three_times = (roughcast.forecast(it, [1]).at(1).volatility for it in (short, wild))
print(f"{calm:.4f} and {three_times:.4f} per day: {three_times / calm:.3f} times")

# %% [markdown]
# ## Is it any good?
#
# The shipped models carry their forecasts of days that they had not seen, those of `universal` by versions that were fitted on
# nothing later. On the last quarter of Bitcoin's history, QLIKE against that of log-HAR, which was fitted on
# Bitcoin itself:

# %%
bitcoin = ServedModels.of(Store(shipped_artifacts()), "BTC-USD")
rows = {row.model: row for row in bitcoin.comparison.rows}
strategies = [name for name in rows if name.startswith("transfer")]
shown = ["universal", "combination", "log_har", "lstm", *strategies]
log_har = rows["log_har"].qlike_loss
table = pd.DataFrame(
    {
        "vs log-HAR": [f"{rows[name].qlike_loss / log_har - 1:+.1%}" for name in shown],
        "p": [
            rows[name].diebold_mariano["log_har"].pvalue if name != "log_har" else np.nan
            for name in shown
        ],
    },
    index=shown,
)
table.round(3)

# %% [markdown]
# `lstm` learned on Bitcoin alone; the models whose names begin with `transfer` saw the S&P 500 first. None can be told from log-HAR.
# `universal`, which learned on many series and of Bitcoin only what was known before, is better by more than chance.

# %% alt="Cumulated QLIKE less log-HAR's on Bitcoin's last quarter: the universal model falls to -48, in large steps in March and May 2020 and slowly afterwards; the LSTM ends at -6 and the transferred LSTM at +4"
tracks = {
    track.model: track
    for track in bitcoin.tracks
    if track.model in {"universal", "lstm", "transfer_full", "log_har"}
}
losses = pd.DataFrame(
    {
        name: pd.Series(
            track.rv / track.forecast - np.log(track.rv / track.forecast) - 1, track.target_dates
        )
        for name, track in tracks.items()
    }
).dropna()
losses = losses[losses.index >= pd.Timestamp(bitcoin.start)]
differences = losses.sub(losses["log_har"], axis=0).drop(columns="log_har").cumsum()
ax = differences.plot(figsize=(8, 4), xlabel="", ylabel="sum of QLIKE less log-HAR's")
ax.axhline(0, color="0.5", linewidth=1)
ax.set_title("Bitcoin: falling is better than log-HAR")

# %% [markdown]
# The same over 53 assets, each left out of the fits that forecast it, and by how many sessions of the target are known, is in
# [Any asset, and transfer](../universal.md): with 22 bars and nothing else the model beats each asset's own log-HAR, fitted on all its history, on
# 46 of 53.
