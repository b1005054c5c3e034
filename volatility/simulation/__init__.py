"""Ground truth: processes whose parameters are known, for tests and for the bias tables."""
