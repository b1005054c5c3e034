"""Exchange models under load, and look for what fails, is of two states or is late."""
