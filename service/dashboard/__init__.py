"""Pages for a person at a screen; every number on them comes from the routes of the API."""
