"""Whether a registered CDS Client could be served: its key set read, its FHIR base URLs reached."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import msgspec

from cds_service.clock import Clock, Deadline
from cds_service.errors import CurbsideError, SettingsError
from cds_service.outbound import Outbound, OutboundError
from cds_service.security import keys
from cds_service.security.smart import LaunchError, SmartClient
from cds_service.security.trust import Fetch, reader
from cds_service.settings import Client, Settings

_FHIR_S = 5.0
_MAX_BYTES = 20_000_000  # a CapabilityStatement may be long


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one look. mend: what to change, where there is something to mend."""

    part: str
    state: str
    mend: str | None = None


class _Capability(msgspec.Struct, frozen=True):
    resource_type: Literal["CapabilityStatement"] = msgspec.field(name="resourceType")
    version: str = msgspec.field(name="fhirVersion", default="4")


def check(name: str, client: Client, settings: Settings, fetch: Fetch) -> Iterator[Finding]:
    """What one client's keys and FHIR servers say; nothing is sent but GET without a token."""
    yield _keys(name, client, settings, fetch)
    if not client.fhir_base_urls:
        yield Finding(f"clients.{name} FHIR", "none: calls that name a fhirServer are answered with 403")
        return
    outbound = Outbound(
        client.fhir_base_urls,
        allow_insecure_loopback=settings.dev.allow_insecure_loopback,
        ca_file=settings.fetch.ca_file,
    )
    for url in client.fhir_base_urls:
        yield _fhir(f"clients.{name} FHIR {url}", url, outbound)


def launches(settings: Settings, clock: Clock) -> Iterator[Finding]:
    """What the EHRs say that may start the review app; they are asked as at a launch. Raises SettingsError."""
    smart = SmartClient(settings, clock)
    for name, one in smart.registrations.items():
        part = f"smart.{name} {one.issuer}"
        try:
            smart.reach(one)
        except LaunchError as error:
            yield Finding(part, error.reason, f"See smart.{name}.issuer and origins, or ask the EHR's team.")
        else:
            yield Finding(part, "ok")


def require_files(settings: Settings) -> None:
    """Raises SettingsError for a client whose key file cannot be used: each of its calls would be refused.

    Key sets at a URL are not read here: they may come back while the service runs.
    """
    for found in files(settings):
        if found.mend is not None:
            raise SettingsError(f"settings: {found.part}: {found.state}. {found.mend}")


def files(settings: Settings) -> Iterator[Finding]:
    """What the key files of the clients say; nobody is asked for anything."""
    for name, client in settings.clients.items():
        if client.jwks_file is not None:
            yield _keys(name, client, settings, _nowhere)


def _nowhere(url: str, deadline: Deadline) -> bytes:
    raise OSError(url)


def _keys(name: str, client: Client, settings: Settings, fetch: Fetch) -> Finding:
    part = f"clients.{name} keys"
    source = "jwks_url" if client.jwks_url else "jwks_file"
    try:
        found = keys.parse(reader(client, fetch, settings.security.keys_timeout_s)())
    except (CurbsideError, OSError) as error:
        reason = str(error) if isinstance(error, CurbsideError) else f"{client.jwks_file}: {error.strerror}"
        return Finding(part, f"cannot be used: {reason}", f"Check clients.{name}.{source}.")
    usable = sorted(kid for kid, algorithm in found.keys if algorithm in client.algorithms)
    if not usable:
        offered = ", ".join(sorted({algorithm for _, algorithm in found.keys}))
        return Finding(
            part,
            f"no key for {', '.join(client.algorithms)}",
            f"The set is for {offered}: see clients.{name}.algorithms.",
        )
    return Finding(part, f"ok: {len(set(usable))} for {', '.join(client.algorithms)}")


def _fhir(part: str, url: str, outbound: Outbound) -> Finding:
    try:
        answer = outbound.get(
            f"{url.rstrip('/')}/metadata",
            deadline=Deadline.after(_FHIR_S),
            max_bytes=_MAX_BYTES,
            accept="application/fhir+json",
        )
        version = msgspec.json.decode(answer.body, type=_Capability).version
    except OutboundError as error:
        if error.status in (401, 403):
            return Finding(part, f"reached: it wants a token for /metadata ({error.status})")
        return Finding(part, str(error), "Check the URL, the name's resolution, the firewall and fetch.ca_file.")
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Finding(
            part, "answers, but not with a CapabilityStatement", "Give the FHIR base URL, without /metadata."
        )
    if not version.startswith("4"):
        return Finding(part, "answers in another version of FHIR than R4", "Give the base URL of its R4 server.")
    return Finding(part, "ok")
