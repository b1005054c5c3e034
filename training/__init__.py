"""Fits, evaluates and publishes models.

``python -m training retrain --asset BTC-USD`` reads bars, scores every model walk-forward, fits it
on all of the data and publishes it into a model store. See :mod:`training.publishing.retrain`.
"""
