"""Simulated sizes and powers of the tests that comparisons rest on."""
