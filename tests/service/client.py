import warnings

with warnings.catch_warnings():
    # It asks for httpx2, a client that few use yet; httpx does all that is needed here.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

__all__ = ["TestClient"]
