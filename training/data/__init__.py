"""Bars of an asset, the series made from them, and the windows and targets that a fit sees."""
