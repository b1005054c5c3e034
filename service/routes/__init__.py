"""One module a route; each translates between HTTP and the domain, and delegates."""
