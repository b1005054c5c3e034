"""``/hurst``: whether log volatility is rough, of a held asset or of a series sent."""
