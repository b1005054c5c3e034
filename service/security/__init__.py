"""Who may ask for what, how often, and what is written down of it."""
