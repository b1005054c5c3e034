"""Econometrics of daily volatility: pure functions on numpy arrays, without I/O, torch or HTTP."""
