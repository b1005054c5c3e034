"""The models: one file each, and a registry that names them."""
