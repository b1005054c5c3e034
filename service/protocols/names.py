"""What a model is called where a name is all there is: ``SPX~log_har``, ``universal``."""

from typing import NamedTuple

from models_store.names import UNIVERSAL, is_asset_name, is_model_name
from volatility.errors import UnknownModel

# No name of an asset or of a model can have it, and no client escapes it in a URL.
SEPARATOR = "~"


class Named(NamedTuple):
    """What a name stands for.

    Attributes
    ----------
    asset : whose model it is; None for the model for every asset, asked about none by name.
    model : as ``POST /forecast`` takes it, ``auto`` and ``universal`` among them.
    """

    asset: str | None
    model: str

    @classmethod
    def of(cls, name: str) -> "Named":
        """What a name stands for.

        Raises
        ------
        UnknownModel : it is none of an asset and a model.
        """
        if name == UNIVERSAL:
            return cls(None, UNIVERSAL)
        asset, separator, model = name.partition(SEPARATOR)
        if not separator or not is_asset_name(asset) or not is_model_name(model):
            raise UnknownModel(
                f"there is no model {name!r}: needed is an asset and a model of it, such as "
                f"SPX{SEPARATOR}log_har or SPX{SEPARATOR}auto, or {UNIVERSAL}",
                field="model",
                found=name,
                needed=f"asset{SEPARATOR}model, or {UNIVERSAL}",
            )
        return cls(asset, model)

    def __str__(self) -> str:
        return self.model if self.asset is None else f"{self.asset}{SEPARATOR}{self.model}"
