"""``/health`` and ``/metrics``, and where the log goes."""
