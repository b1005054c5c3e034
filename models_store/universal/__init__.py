"""The model for every asset: what it is on disk, and how it becomes one asset's model."""
