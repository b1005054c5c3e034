"""The tables and figures of Dhansoia (2025), computed again from the paper's own files."""
