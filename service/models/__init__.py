"""``/models`` and ``/compare``: which models serve, and how they did out of sample."""
