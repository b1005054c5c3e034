import pytest

from models_store.names import is_asset_name, is_model_name
from service.protocols.names import SEPARATOR, Named
from tests.errors import details
from volatility.errors import UnknownModel


@pytest.mark.parametrize(
    ("name", "asset", "model"),
    [
        ("SPX~log_har", "SPX", "log_har"),
        ("BTC-USD~auto", "BTC-USD", "auto"),
        ("BRK.B~universal", "BRK.B", "universal"),
        ("ES=F~har", "ES=F", "har"),
        ("universal", None, "universal"),
    ],
)
def test_a_name_is_of_an_asset_and_a_model(name: str, asset: str | None, model: str) -> None:
    named = Named.of(name)
    assert named == (asset, model)
    assert str(named) == name


@pytest.mark.parametrize(
    "name",
    ["", "~", "SPX", "har", "auto", "SPX~", "~har", "SPX~har~1", "SPX.har", "SPX~HAR", "-~har"],
)
def test_any_other_is_none(name: str) -> None:
    with pytest.raises(UnknownModel, match="needed is an asset and a model of it") as refused:
        Named.of(name)
    assert details(refused.value) == ("model", name, "asset~model, or universal")


def test_no_asset_and_no_model_can_have_the_separator() -> None:
    assert not is_asset_name(f"A{SEPARATOR}B")
    assert not is_model_name(f"a{SEPARATOR}b")
