"""What every route shares: bodies, errors as problem documents, middleware, OpenAPI.

Imports no feature.
"""
