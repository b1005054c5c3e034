"""Whether clients that are made of the API description compile, and forecast: ``make clients``."""
