"""What models are, as the Open Inference Protocol describes them."""

from models_store import LoadedModel, UniversalModel
from models_store.names import CHAMPION, UNIVERSAL
from service.assets.holdings import Holdings, find_asset
from service.models.catalogue import AUTO, Catalogue
from service.models.versions import universal_store, version_of, versions_of
from service.protocols.inference import DATE, INPUTS, RV, Target
from service.protocols.names import Named
from service.protocols.outputs import COLUMNS
from service.protocols.schemas import IndexedModel, ModelDescription, TensorDescription
from volatility.bars import DAILY, PRICES

PLATFORM = "roughcast"
_ANY = -1  # of a shape


def describe(target: Target, catalogue: Catalogue, holdings: Holdings) -> ModelDescription:
    """A model, its versions and its tensors.

    Raises
    ------
    UnknownAsset, UnknownModel, UnknownVersion : there is none of this name.
    ArtifactRefused : it fails its checks.
    """
    model = find(target, catalogue, holdings)
    if isinstance(model, UniversalModel):
        versions = universal_store(catalogue).versions()
    else:
        versions = versions_of(catalogue, Named.of(target.name).asset or UNIVERSAL, model)
    return ModelDescription(
        name=target.name,
        versions=[str(it) for it in versions],
        platform=PLATFORM,
        inputs=[_tensor(it, 2) for it in _inputs(model)],
        outputs=[
            TensorDescription(
                name=name, datatype=it.datatype, shape=[_ANY] * (2 if it.by_level else 1)
            )
            for name, it in COLUMNS.items()
        ],
    )


def find(target: Target, catalogue: Catalogue, holdings: Holdings) -> LoadedModel | UniversalModel:
    """The model that a name stands for, verified and opened if it is not open.

    The model for every asset stands for itself, and for assets that have none of the name.

    Raises
    ------
    UnknownAsset, UnknownModel, UnknownVersion : there is none.
    ArtifactRefused : it fails its checks.
    """
    (asset, model), version = Named.of(target.name), target.version
    if asset is not None:
        if model not in (AUTO, UNIVERSAL) or catalogue.choice(asset, model) is not None:
            return version_of(catalogue, asset, model, version)
        _check_universal(asset, model, catalogue, holdings)
    if version is None:
        return catalogue.universal.get()
    return universal_store(catalogue).load(version)


def index(catalogue: Catalogue, ready: bool) -> list[IndexedModel]:
    """Every model of the store; all that have not been verified are verified first.

    Parameters
    ----------
    catalogue : of them.
    ready : whether those that do not serve are left out.
    """
    cards = catalogue.shelf.cards()  # before what was refused, which it finds out
    refused = {(it.asset, it.model): it for it in catalogue.shelf.refused if it.model != CHAMPION}
    serving = [
        (str(Named(it.asset, it.model)), it.version, refused.get((it.asset, it.model)))
        for it in cards
    ]
    universal = catalogue.universal.version
    if universal is not None:
        serving.append((UNIVERSAL, universal, refused.get((UNIVERSAL, UNIVERSAL))))
    found = [
        IndexedModel(name=name, version=str(version), state="READY", reason=it.reason if it else "")
        for name, version, it in serving
    ]
    absent = [it for it in refused.values() if it.served_version is None and not ready]
    return found + [
        IndexedModel(
            name=UNIVERSAL if it.asset == UNIVERSAL else str(Named(it.asset, it.model)),
            version=str(it.version or ""),
            state="UNAVAILABLE",
            reason=it.reason,
        )
        for it in absent
    ]


def _check_universal(asset: str, model: str, catalogue: Catalogue, holdings: Holdings) -> None:
    """Refuse an asset that the model for every asset does not answer for."""
    if not catalogue.models(asset):
        catalogue.check_not_refused(asset)  # else forecasts would hide that its own are damaged
    known = find_asset(asset, holdings, catalogue)
    is_made_for = known is None or catalogue.universal.knows(known.bar_interval, known.measure)
    if catalogue.refusal(asset, model) is not None or not is_made_for:
        raise catalogue.why_none(asset, model)


def _inputs(model: LoadedModel | UniversalModel) -> list[str]:
    """The tensors that a model forecasts from: rv, unless it sees more; bars, if they are daily."""
    if isinstance(model, UniversalModel):
        return [DATE, *PRICES]
    manifest = model.manifest
    bars = [DATE, *PRICES] if manifest.bar_interval == DAILY else []
    if manifest.own_columns:
        return bars
    return [RV, *(bars or [DATE])]


def _tensor(name: str, dimensions: int) -> TensorDescription:
    return TensorDescription(name=name, datatype=INPUTS[name], shape=[_ANY] * dimensions)
