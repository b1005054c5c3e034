"""``/assets``: the history that is held of each asset, and adding bars to it."""
