"""What calls answer, here and over HTTP: small frozen values with a table and a plot."""
