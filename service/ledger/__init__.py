"""Issued forecasts as they were answered, their outcomes, and how they did."""
