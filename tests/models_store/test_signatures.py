"""Who may publish: only what a trusted key has signed is loaded."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from models_store import Store
from models_store.errors import ArtifactRefused
from models_store.files import ArtifactFiles
from models_store.shipped import open_store
from models_store.signatures import (
    NO_KEYS,
    SIGNATURE,
    TrustedKeys,
    UnreadableKey,
    read_private_key,
    sign,
)
from tests.errors import details
from tests.keys import write_keys
from tests.models_store.artifacts import make_files, opened, verified


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A store with two versions of one model."""
    store = Store(tmp_path / "store")
    for intercept in (1e-5, 2e-5):
        store.publish(make_files("TEST", "har", intercept), promote=True)
    return store.root


def folder_of(root: Path, version: int) -> Path:
    return root / "TEST" / "har" / str(version)


def trusting(root: Path, *public: Path) -> Store:
    return Store(root, TrustedKeys.read(public))


def test_what_a_trusted_key_has_signed_is_loaded(root: Path, tmp_path: Path) -> None:
    private, public = write_keys(tmp_path)
    _, other = write_keys(tmp_path, "other")
    before = Store(root).load("TEST", "har").sha256
    sign(folder_of(root, 2), read_private_key(private))
    assert trusting(root, public).load("TEST", "har").sha256 == before
    assert trusting(root, other, public).load("TEST", "har").sha256 == before
    assert Store(root).load("TEST", "har").sha256 == before  # where nobody asks


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "it is not signed: SHA256SUMS.sig is missing"),
        (b"", "of none of the 1 trusted keys"),
        (b"no base64!", "cannot be read"),
        (base64.b64encode(bytes(64)), "of none of the 1 trusted keys"),
        (base64.b64encode(bytes(65)), "of none of the 1 trusted keys"),
    ],
)
def test_what_is_not_signed_is_refused(
    root: Path, tmp_path: Path, content: bytes | None, said: str
) -> None:
    if content is not None:
        (folder_of(root, 2) / SIGNATURE).write_bytes(content)
    with pytest.raises(ArtifactRefused, match=said):
        trusting(root, write_keys(tmp_path)[1]).load("TEST", "har")


def test_a_signature_by_a_stranger_is_refused(root: Path, tmp_path: Path) -> None:
    private, _ = write_keys(tmp_path, "stranger")
    sign(folder_of(root, 2), read_private_key(private))
    with pytest.raises(ArtifactRefused, match="of none of the 1 trusted keys"):
        trusting(root, write_keys(tmp_path)[1]).load("TEST", "har")


def test_a_signature_is_of_one_artifact(root: Path, tmp_path: Path) -> None:
    """Files that are changed with their digests, or another version's signature, are noticed."""
    private, public = write_keys(tmp_path)
    for version in (1, 2):
        sign(folder_of(root, version), read_private_key(private))
    signature = (folder_of(root, 1) / SIGNATURE).read_bytes()
    (folder_of(root, 2) / SIGNATURE).write_bytes(signature)
    with pytest.raises(ArtifactRefused, match="of none of the 1 trusted keys"):
        trusting(root, public).load("TEST", "har")
    for name, content in make_files("TEST", "har", 3e-5).items():
        (folder_of(root, 1) / name).write_bytes(content)
    with pytest.raises(ArtifactRefused, match="of none of the 1 trusted keys"):
        trusting(root, public).load("TEST", "har", 1)


def test_the_newest_signed_version_serves(root: Path, tmp_path: Path) -> None:
    private, public = write_keys(tmp_path)
    sign(folder_of(root, 1), read_private_key(private))
    shelf = verified(trusting(root, public))
    assert opened(shelf, "TEST", "har").version == 1
    (refusal,) = shelf.refused
    assert (refusal.version, refusal.served_version) == (2, 1)
    assert "not signed" in refusal.reason


def test_a_signature_changes_nothing_of_an_artifact(root: Path, tmp_path: Path) -> None:
    folder = folder_of(root, 2)
    before = ArtifactFiles.read(folder).sha256
    sign(folder, read_private_key(write_keys(tmp_path)[0]))
    assert ArtifactFiles.read(folder, NO_KEYS).sha256 == before
    written = (folder / SIGNATURE).read_bytes()
    assert len(base64.b64decode(written)) == 64
    assert written.count(b"\n") == 1  # one line, as other tools write it


def test_a_file_that_is_no_key_is_named(tmp_path: Path) -> None:
    private, public = write_keys(tmp_path)
    elliptic = generate_private_key(SECP256R1())
    other, its_public = tmp_path / "p256.pem", tmp_path / "p256.pub.pem"
    other.write_bytes(elliptic.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    its_public.write_bytes(
        elliptic.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    (tmp_path / "text.pem").write_text("no key")
    for path in (private, its_public, tmp_path / "text.pem", tmp_path / "absent.pem"):
        with pytest.raises(
            UnreadableKey, match=f"{path.name} holds no public ed25519 key"
        ) as refused:
            TrustedKeys.read([path])
        assert refused.value.code == "unreadable_key"
        needed = "a PEM file with a public ed25519 key"
        assert details(refused.value) == ("key", path.name, needed)
    for path in (public, other, tmp_path / "text.pem", tmp_path / "absent.pem"):
        with pytest.raises(
            UnreadableKey, match=f"{path.name} holds no private ed25519 key"
        ) as refused:
            read_private_key(path)
        needed = "a PEM file with a private ed25519 key"
        assert details(refused.value) == ("key", path.name, needed)
        assert refused.value.code == "unreadable_key"
    for path, kind in ((its_public, "PublicKey"), (other, "PrivateKey")):
        with pytest.raises(UnreadableKey, match=f"it is a .*{kind}"):
            read_private_key(path) if path is other else TrustedKeys.read([path])


def test_a_store_that_is_opened_trusts_the_keys_it_was_given(root: Path, tmp_path: Path) -> None:
    trusted = TrustedKeys.read([write_keys(tmp_path)[1]])
    with pytest.raises(ArtifactRefused, match="not signed"):
        open_store(root, trusted).load("TEST", "har")
    assert open_store(root).load("TEST", "har").version == 2
