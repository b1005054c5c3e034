"""The model for every asset: fitted on many, used on any."""
