"""An EHR that may start the review app, as the settings register it: its origins, the app's secret or keys there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import orjson
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, RSAKey

from cds_service.addresses import Base, Secret
from cds_service.errors import SettingsError
from cds_service.settings import Settings, SmartEhr

_RSA_BITS = 2048


@dataclass(frozen=True, slots=True)
class Registration:
    """One EHR that may start the app. name: in the settings."""

    name: str
    ehr: SmartEhr
    secret: Secret | None = None
    keys: KeySet | None = None

    @property
    def issuer(self) -> str:
        """The FHIR base URL, without a final slash."""
        return self.ehr.issuer.rstrip("/")

    @property
    def names(self) -> set[str]:
        """By which its authorization server may call itself, without a final slash."""
        return {self.issuer, self.ehr.id_token_issuer.rstrip("/")} - {""}

    @property
    def origins(self) -> tuple[str, ...]:
        """Where this EHR's endpoints may be, and no other's."""
        return (_origin(self.issuer), *self.ehr.origins)

    def owns(self, url: str) -> bool:
        """True if a URL lies at one of this EHR's own origins: another registered EHR's is as foreign as any."""
        return any(base.admits(url) for base in map(Base.of, self.origins) if base is not None)


def registered(name: str, ehr: SmartEhr, settings: Settings) -> Registration:
    """The registration that the settings give under a name. Raises SettingsError naming the key to mend."""
    where = f"settings: smart.{name}"
    if not ehr.issuer or not ehr.client_id:
        raise SettingsError(f"{where} needs issuer (the FHIR base URL) and client_id.")
    if ehr.client and ehr.client not in settings.clients:
        raise SettingsError(f"{where}.client names no [clients.NAME] table.")
    if ehr.auth == "client_secret" and ehr.secret_file is None:
        raise SettingsError(f"{where}.secret_file is missing. Put the client secret into a file of its own.")
    if ehr.auth == "private_key_jwt" and ehr.key_file is None:
        raise SettingsError(f"{where}.key_file is missing. Give a JWKS file with the private key that signs first.")
    secret = Secret(_text(where, "secret_file", ehr.secret_file).strip()) if ehr.secret_file is not None else None
    keys = None
    if ehr.key_file is not None:
        try:
            keys = KeySet.import_key_set(orjson.loads(_text(where, "key_file", ehr.key_file)))
        except (JoseError, ValueError, TypeError, KeyError):
            raise SettingsError(f"{where}.key_file must be a JWKS with private EC or RSA keys.") from None
        if not keys.keys or not all(map(_signs, keys.keys)):
            words = "must hold private keys alone: EC on P-384, or RSA of 2048 bits or more."
            raise SettingsError(f"{where}.key_file {words}")
    return Registration(name, ehr, secret, keys)


def _signs(key: Key) -> bool:
    """True for a key with which ES384 or RS384 can be signed."""
    if isinstance(key, ECKey):
        return key.is_private and key.curve_name == "P-384"
    secret = key.private_key if isinstance(key, RSAKey) else None
    return secret is not None and secret.key_size >= _RSA_BITS


def _text(where: str, key: str, path: Path | None) -> str:
    assert path is not None
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise SettingsError(f"{where}.{key} cannot be read. Name a text file that this user may read.") from None


def _origin(url: str) -> str:
    split = urlsplit(url)
    return f"{split.scheme}://{split.netloc}"
