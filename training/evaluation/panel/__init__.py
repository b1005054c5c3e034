"""The model for every asset, tried on assets that were left out of its fit."""
