"""Ask a service for a forecast by the client that is made of its description, and print it.

Runs in an environment with httpx and attrs, beside the folder ``client``, and with nothing of this
project.
"""

import json
import sys

from client import AuthenticatedClient
from client.api.forecast import forecast, get_forecast
from client.models import ErrorCode, ForecastAnswer, ForecastRequest, Problem


def main(base_url: str, asset: str) -> None:
    # The key is sent, and looked at where the service needs keys.
    with AuthenticatedClient(base_url=base_url, token="a-key") as service:
        unknown = get_forecast.sync("NOBODY", client=service)
        assert isinstance(unknown, Problem)
        assert unknown.code is ErrorCode.UNKNOWN_ASSET
        held = get_forecast.sync(asset, client=service, model="har", levels="0.8")
        assert isinstance(held, ForecastAnswer)
        body = ForecastRequest(asset=asset, model="har", levels=[0.8])
        posted = forecast.sync(client=service, body=body)
        assert isinstance(posted, ForecastAnswer)
        assert posted.rv == held.rv
        print(json.dumps(held.to_dict()))


if __name__ == "__main__":
    main(*sys.argv[1:])
