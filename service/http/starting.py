"""A start that is refused: one line in the log, and no traceback."""

from starlette.types import Message, Scope, Send


def without_traceback(scope: Scope, send: Send) -> Send:
    """Send on, but not the traceback of a start that was refused on purpose.

    Starlette makes it of whatever ends a start, and uvicorn logs it.

    Parameters
    ----------
    scope : of the lifespan; where the log says already why, so does the state of its application.
    """

    async def sent(message: Message) -> None:
        if message["type"] == "lifespan.startup.failed" and scope["app"].state.is_refused:
            message = {"type": message["type"]}
        await send(message)

    return sent
