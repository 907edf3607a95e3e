"""Settings from `curbside.toml` and `CURBSIDE_SECTION__KEY` variables; `docs/settings.md` is made from this file.

A variable wins over the file, the file over the default. An unknown key, a wrong type or a value out of
range is an error that names the key and what to change. Relative paths are relative to the file's folder.
"""

from __future__ import annotations

import difflib
import inspect
import math
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, field, fields, replace
from datetime import date
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from cds_service.errors import SettingsError

PREFIX = "CURBSIDE_"
CONFIG_VARIABLE = "CURBSIDE_CONFIG"  # the file, where --config is not given
_OUTSIDE = {CONFIG_VARIABLE, "CURBSIDE_DATA", "CURBSIDE_EXAMPLES"}  # the last two are for tests alone


def key(
    default: Any, doc: str, *, least: float | None = None, most: float | None = None, choices: tuple[str, ...] = ()
) -> Any:
    """A documented dataclass field; numbers may have inclusive limits, texts a choice."""
    metadata = {"doc": doc, "least": least, "most": most, "choices": choices}
    return (
        field(default_factory=dict, metadata=metadata) if default == {} else field(default=default, metadata=metadata)
    )


@dataclass(frozen=True, slots=True)
class Server:
    """Where and how the service listens."""

    host: str = key("127.0.0.1", "Address to listen on. `0.0.0.0` serves every interface: put TLS in front of it.")
    port: int = key(8080, "Port to listen on.", least=0, most=65535)
    workers: int = key(2, "Worker processes; each computes one request at a time.", least=1, most=256)
    public_url: str = key("", "The URL by which CDS Clients reach the service; empty for `http://host:port`.")
    tls_cert: Path | None = key(  # noqa: RUF009 - a field, as all others
        None, "Certificate chain (PEM): the service then speaks TLS itself, with `tls_key`."
    )
    tls_key: Path | None = key(None, "Private key (PEM, without a password) of `tls_cert`.")  # noqa: RUF009
    client_ca: Path | None = key(  # noqa: RUF009
        None,
        "Certificate authorities (PEM) of callers: the service then closes a connection without their certificate.",
    )
    drain_s: int = key(10, "Seconds that running requests get to finish after SIGTERM.", least=1, most=600)


@dataclass(frozen=True, slots=True)
class Metrics:
    """Where Prometheus reads. Callers on this machine may always read `/metrics` at the service's own port."""

    host: str = key("127.0.0.1", "Address of a port for metrics and health alone.")
    port: int = key(0, "That port; 0 for none.", least=0, most=65535)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may cost."""

    max_body_bytes: int = key(10_000_000, "Largest request body; more is answered with 413.", least=1_000)
    max_depth: int = key(64, "Deepest nesting of JSON that is read; more is answered with 400.", least=16, most=500)
    read_s: float = key(10.0, "Seconds for the head of a request, and again for its body, to arrive.", least=0.1)
    max_waiting: int = key(128, "Requests that may wait in one worker; more are answered with 503.", least=1)
    answer_s: float = key(
        3.0, "Seconds from the head of a hook call to its answer; what was not fetched by then is missing.", least=0.5
    )
    max_fetches: int = key(40, "Requests that one hook call may make to the EHR's FHIR server.", least=1, most=1000)
    max_fetching: int = key(64, "Hook calls in one worker that may wait for FHIR servers at once.", least=1, most=1000)
    rate_per_s: float = key(
        200.0, "Calls a second, over all workers, that one CDS Client may make; more are answered with 429.", least=0.1
    )
    burst: int = key(400, "Calls that a CDS Client may make at once before `rate_per_s` holds.", least=1)
    concurrent_per_client: int = key(
        64, "Calls of one CDS Client that run or wait in one worker; more are answered with 503.", least=1
    )


@dataclass(frozen=True, slots=True)
class Fetch:
    """How data that prefetch lacks are fetched from the EHR's FHIR server."""

    ca_file: str = key("", "Certificates (PEM) of further authorities to trust, such as the hospital's own.")
    connections: int = key(16, "Requests to one server at once, in one worker.", least=1, most=256)
    calls: int = key(
        12,
        "Hook calls that may wait for one server at once, in one worker; fewer than `concurrent_per_client`.",
        least=1,
        most=256,
    )
    max_bytes: int = key(10_000_000, "Most that one hook call may fetch.", least=1_000)
    failures: int = key(10, "Failures in a row after which a server is left alone for a while.", least=1)
    pause_s: float = key(5.0, "Seconds for which it is left alone; then one request tries it.", least=0.1)


@dataclass(frozen=True, slots=True)
class Dev:
    """For trying things out on one machine; leave empty in production."""

    allow_insecure_loopback: bool = key(False, "Permit plain http to servers on loopback addresses.")
    fhir_base_urls: tuple[str, ...] = key(
        (), "FHIR base URLs from which callers without a token may have data fetched."
    )
    unsigned_loopback: bool = key(
        False, "Answer callers on this machine that send no token although clients are configured."
    )


@dataclass(frozen=True, slots=True)
class Client:
    """A CDS Client (an EHR) that may call: who signs its tokens, with which keys, and where its FHIR servers are.

    One table a client, under a name of your choice. Without any, only callers on this machine are answered.
    """

    issuer: str = key("", "The `iss` of its tokens, exactly. Required, and different for every client.")
    jwks_url: str = key("", "Where its key set is fetched from. Give this or `jwks_file`.")
    jwks_file: Path | None = key(  # noqa: RUF009 - a field, as all others
        None, "Its key set (JWKS) as a file, read again when a token names an unknown key."
    )
    jku: str = key(
        "",
        "The `jku` that its tokens carry, where that is not `jwks_url`. Keys are never fetched from there: it is "
        "compared. With `jwks_file` and without this key, `jku` is ignored.",
    )
    audiences: tuple[str, ...] = key((), "Values of `aud` that are accepted beside the URL that is called.")
    tenants: tuple[str, ...] = key((), "Values of `tenant` that are accepted; empty for any, and for none.")
    fhir_base_urls: tuple[str, ...] = key(
        (), "Base URLs that a call may name as `fhirServer`, exactly; a call that names another is answered with 403."
    )
    algorithms: tuple[str, ...] = key(
        ("ES384", "RS384"), "Signature algorithms that are accepted: `ES384`, `RS384`, `RS256`, `ES256`."
    )
    admitted_labels: tuple[str, ...] = key(
        (),
        "Sensitivity labels (`meta.security`, such as `HIV`, `PSY`, `R`) whose resources may be used for this "
        "client's users; `*` for all. Without this key they are left out, and the card says how many.",
    )
    jti: str = key(
        "enforce",
        "`enforce`: a token is good for one call. `log`: repeats are logged, for EHRs that use a token until it "
        "expires.",
        choices=("enforce", "log"),
    )
    system_actions: bool = key(
        False,
        "Send `systemActions` that write each estimate that may be shown to the chart as a RiskAssessment, whether or "
        "not it opens a card; the same numbers once. Agree on it with the EHR first: nobody is asked.",
    )


@dataclass(frozen=True, slots=True)
class Security:
    """How tokens and key sets are judged, and whose word counts for where a call comes from."""

    leeway_s: int = key(60, "Seconds by which clocks may differ.", least=0, most=300)
    max_token_life_s: int = key(900, "Longest life (`exp` minus `iat`) of a token.", least=60, most=3600)
    keys_refresh_s: int = key(600, "Age at which a key set is fetched again, beside the calls.", least=30)
    keys_stale_s: int = key(
        86_400,
        "Age up to which a key set is used while it cannot be fetched again; then its client is refused.",
        least=60,
    )
    keys_timeout_s: float = key(2.0, "Seconds that fetching a key set may take in all.", least=0.1, most=30)
    trusted_proxies: tuple[str, ...] = key(
        (), "Addresses or networks of proxies whose `X-Forwarded-For` is believed, such as `10.1.0.0/24`."
    )


@dataclass(frozen=True, slots=True)
class Cors:
    """Which web pages may call from a browser."""

    origins: tuple[str, ...] = key(
        (), "Origins such as `https://sandbox.example.org`, exactly. EHRs that call from a server need none."
    )
    max_age_s: int = key(600, "Seconds for which a browser may remember that it may call.", least=0, most=86_400)


@dataclass(frozen=True, slots=True)
class Discovery:
    """What `GET /cds-services` says beside the services."""

    version: str = key(
        "2.0",
        "`3.0` adds `version` and `hookVersion` to every service, which clients of 2.0 need not know.",
        choices=("2.0", "3.0"),
    )


@dataclass(frozen=True, slots=True)
class Store:
    """Where assessments are kept."""

    url: str = key(
        "",
        "SQLAlchemy URL: `sqlite:////var/lib/curbside/curbside.db` or `postgresql+psycopg://...`. Empty for "
        "`curbside/curbside.db` in the user's state folder (`$XDG_STATE_HOME`, else `~/.local/state`).",
    )


@dataclass(frozen=True, slots=True)
class Plugins:
    """Models and hooks beside those that come with Curbside."""

    models: tuple[Path, ...] = key((), "Further folders of models.")
    hooks: tuple[Path, ...] = key((), "Further folders of hooks.")


@dataclass(frozen=True, slots=True)
class Codes:
    """The hospital's own codes and units (`docs/local-codes.md`)."""

    map: Path | None = key(  # noqa: RUF009 - a field, as all others
        None, "A TOML file that maps local codes and units to standard ones, such as `code_map.toml`; none by default."
    )


@dataclass(frozen=True, slots=True)
class SignOff:
    """Someone's word that a trained model was evaluated at this site, written by `curbside models sign-off`.

    report_sha256: of the report as it was signed. conditions: digest of all that the word rests on: weights, the code
    map, the thresholds of the services that run the model; a sign-off without it, or with another, is not valid.
    """

    version: str
    by: str
    on: date
    report: str
    report_sha256: str = ""
    conditions: str = ""


@dataclass(frozen=True, slots=True)
class Models:
    """Which models may speak."""

    signed_off: Mapping[str, SignOff] = key(
        {},
        "Trained models evaluated and accepted at this site, one table a model: `version`, `by`, `on` (a date), "
        "`report`, `report_sha256` and `conditions`, as `curbside models sign-off` writes them. Any other trained "
        "model, another version, another code map or other thresholds: silent, computed and stored, never shown.",
    )
    sign_off_days: int = key(
        0,
        "Days after which a sign-off lapses: the model is then silent until it is evaluated and signed off again. 0: "
        "it never lapses.",
        least=0,
        most=3650,
    )
    enabled: tuple[str, ...] = key(
        (),
        "Published scores that are off by default and wanted here, such as `pce-2013` (superseded), `cha2ds2-vasc` "
        "(shown instead of CHA2DS2-VA) or the edition of a score for another region. `curbside models` lists them.",
    )
    unexplained: bool = key(
        False,
        "Allow imported models that cannot be explained exactly (neither trees nor a sum). They run in a process "
        "apart, and their cards say so. Without this they are refused, at import and at the start.",
    )
    show_unvalidated: bool = key(
        False, "Show trained models that nobody signed off, marked as not validated. For demonstrations only."
    )


@dataclass(frozen=True, slots=True)
class Cards:
    """How cards are worded."""

    language: str = key("en", "Language of the cards: `en` or `zh_Hans`.", choices=("en", "zh_Hans"))
    units: str = key(
        "record",
        "Units of measured values on cards: `record` (those in which the record has the value), `conventional` "
        "(mg/dL), `si` (umol/L), or `both`. Lines from the record keep the units in which they were sent.",
        choices=("record", "conventional", "si", "both"),
    )
    grouping: str = key(
        "service",
        "`service`: one card holds all that a service has to say. `finding`: one card a finding, so that each can be "
        "overridden by itself.",
        choices=("service", "finding"),
    )
    offer_recording: bool = key(
        False, "Offer to note each estimate in the chart (a RiskAssessment) as a suggestion on its card."
    )


_LOUDNESS = ("critical", "warning", "info", "none")


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The knowledge graph: where imported sources are kept, and how loud a row may be.

    Without imports the curated base alone is used, and nothing is written.
    """

    path: Path | None = key(  # noqa: RUF009 - a field, as all others
        None,
        "The graph with imported sources, written by `curbside knowledge import`. Empty for `curbside/knowledge.db` in "
        "the user's state folder, if it is there.",
    )
    contraindicated: str = key("critical", "Indicator of a contraindication; `none` for no card.", choices=_LOUDNESS)
    major: str = key("warning", "Indicator of a major interaction or limit.", choices=_LOUDNESS)
    moderate: str = key("info", "Indicator of a moderate one.", choices=_LOUDNESS)
    minor: str = key("none", "Indicator of a minor one.", choices=_LOUDNESS)
    critical_levels: tuple[str, ...] = key(
        ("A",), "Levels of evidence from which a card may be `critical`; anything else is at most a `warning`."
    )
    critical_sources: tuple[str, ...] = key(
        ("curbside",), "Sources whose rows may make a card `critical`; `curbside` is the curated base."
    )
    imported_from: str = key(
        "major",
        "Severity from which a row that only imported sources have opens a card.",
        choices=("minor", "moderate", "major", "contraindicated"),
    )
    old_after_years: float = key(
        5.0, "Age from which the card says that an imported source is old.", least=0.5, most=100
    )


@dataclass(frozen=True, slots=True)
class App:
    """The SMART app that cards link to."""

    launch_url: str = key(
        "",
        "Its launch URL; cards then carry a `smart` link whose `appContext` is the card's uuid. Empty for no link. "
        "Curbside's own review app is at `https://HOST/app/launch`, once an EHR is registered under `[smart.NAME]`.",
    )
    idle_minutes: float = key(15.0, "Minutes without a click after which a review is closed.", least=1, most=120)
    session_hours: float = key(8.0, "Hours after which a review ends in any case.", least=0.1, most=24)
    chart_types: tuple[str, ...] = key(
        (),
        "Resource types for whose scopes a launch asks beside those that the models read, so that questions about them "
        "can be answered: `FamilyMemberHistory`, `AdverseEvent`, `Consent`, `DeviceUseStatement`, and `Medication` "
        "where medicines are named by reference. Register them in the EHR first.",
    )


@dataclass(frozen=True, slots=True)
class SmartEhr:
    """An EHR that may start the review app (SMART App Launch 2.2). One table an EHR, under a name of your choice.

    Register in the EHR: launch URL `https://HOST/app/launch`, redirect URI `https://HOST/app/callback`.
    """

    issuer: str = key("", "Its FHIR base URL, which is the `iss` of a launch, exactly. Required.")
    client_id: str = key("", "The id under which the EHR knows the app. Required.")
    client: str = key("", "The `[clients.NAME]` table of the same EHR: its cards and assessments are what is reviewed.")
    tenant: str = key("", "The `tenant` of that client's tokens, where it has several.")
    auth: str = key(
        "public",
        "How the app proves itself: `public` (PKCE alone), `client_secret` or `private_key_jwt`.",
        choices=("public", "client_secret", "private_key_jwt"),
    )
    secret_file: Path | None = key(None, "File with the client secret.")  # noqa: RUF009 - a field, as all others
    key_file: Path | None = key(  # noqa: RUF009 - a field, as all others
        None, "JWKS file with private keys (ES384 or RS384); the first signs, all are published at `/app/jwks`."
    )
    origins: tuple[str, ...] = key(
        (), "Origins of its authorization, token and key endpoints, where they are not the issuer's."
    )
    id_token_issuer: str = key("", "The `iss` of its id_tokens, where that is not `issuer`.")
    frame_ancestors: tuple[str, ...] = key((), "Origins of the EHR's pages that may show the app in a frame.")
    governance: tuple[str, ...] = key(
        (), "Users (`fhirUser`, such as `Practitioner/42`) who may open the work list and the governance views."
    )


@dataclass(frozen=True, slots=True)
class Alerts:
    """How much is shown, and how long what a clinician has answered rests."""

    max_cards: int = key(3, "Cards in one response, the most urgent first.", least=1, most=20)
    overridden_days: float = key(
        30.0, "Days for which an overridden finding rests in that patient, unless it gets worse.", least=0, most=3650
    )
    overridden_critical_hours: float = key(
        8.0, "Hours for which a critical one rests at most; also where its suggestion was accepted.", least=0, most=720
    )
    snoozed_hours: float = key(
        24.0, "Hours for which a snoozed finding rests at most, unless it gets worse.", least=0, most=720
    )
    accepted_days: float = key(
        30.0, "Days for which a suggestion that was accepted is not made again in that patient.", least=0, most=3650
    )
    worse_factor: float = key(
        1.25,
        "A finding is materially worse if it became more urgent, or if its estimate is that many times what it was.",
        least=1,
        most=100,
    )
    same_finding_s: float = key(
        60.0,
        "Seconds within which another service does not show the same finding again, unless it is critical.",
        least=0,
        most=86_400,
    )


@dataclass(frozen=True, slots=True)
class Llm:
    """A language model that words the summary anew, in a process of its own; off while `url` is empty.

    Any server that answers `/chat/completions` as OpenAI's does. See [language-model.md](language-model.md).
    """

    url: str = key("", "Base URL up to and with `/v1`; nothing else is called. Empty: no language model.")
    model: str = key("", "The model's name as the server knows it.")
    key_file: Path | None = key(None, "File that holds the API key and nothing else.")  # noqa: RUF009 - a field
    key_env: str = key("", "Variable that holds the API key, such as `OPENAI_API_KEY`; `key_file` goes first.")
    local: bool = key(
        False,
        "The server is the hospital's own and may read the record as it is: nothing is replaced before it is sent, and "
        "plain http is permitted on loopback addresses.",
    )
    vision: bool = key(False, "The model reads images: the review app lets users ask about images and scanned pages.")
    vision_elsewhere: bool = key(
        False, "Send images also to a server that is not `local`; a name within a picture cannot be taken out."
    )
    language: str = key("", "Language of its sentences; empty for `cards.language`.", choices=("", "en", "zh_Hans"))
    wait_ms: int = key(
        0,
        "Milliseconds for which a hook waits for its text; without it in time, the card is as without it.",
        least=0,
        most=2000,
    )
    timeout_s: float = key(30.0, "Seconds that one answer may take in all.", least=0.5, most=600)
    calls_at_once: int = key(2, "Questions that wait for the server at once.", least=1, most=32)
    calls_per_hour: int = key(2000, "Most questions an hour.", least=1)
    tokens_per_hour: int = key(5_000_000, "Most tokens an hour, as the server counts them.", least=1)
    max_waiting: int = key(
        200, "Summaries that may wait for their turn; more are not asked for.", least=1, most=100_000
    )
    max_facts: int = key(60, "Most lines of a record that are sent.", least=1, most=500)
    max_prompt_bytes: int = key(24_000, "Longest question; lines that do not fit are not sent.", least=2000)
    max_answer_tokens: int = key(1200, "Longest answer, in the model's tokens.", least=16)
    max_answer_bytes: int = key(
        200_000, "Longest answer, in bytes, with all that the server sends around it.", least=1000
    )
    retry_s: float = key(600.0, "Seconds after which a text that failed is asked for again.", least=0)
    seed: int = key(1, "Seed that is sent; the temperature is 0.", least=0)
    ca_file: str = key("", "Certificates (PEM) of further authorities to trust.")
    failures: int = key(3, "Failures in a row after which the server is left alone for a while.", least=1)
    pause_s: float = key(60.0, "Seconds for which it is left alone; then one question tries it.", least=0.1)


@dataclass(frozen=True, slots=True)
class Monitoring:
    """From where on `curbside monitor` rings, and what it then does."""

    least: int = key(100, "Fewest values, answers or judged estimates over which anything is said.", least=10)
    psi: float = key(0.2, "Shift (PSI) of an input or estimate against the months before.", least=0.01, most=5)
    share_change: float = key(
        0.15,
        "Change of the share of a yes, no or coded answer (half the women, twice the smokers).",
        least=0.01,
        most=1,
    )
    missing_rise: float = key(
        0.2,
        "Rise of the share of an input that is missing, or of patients for whom a model refuses.",
        least=0.01,
        most=1,
    )
    cards_factor: float = key(
        2.0, "Factor by which the share of a service's calls that show a card rises or falls.", least=1.1, most=100
    )
    overridden: float = key(0.9, "Share of the answers to a service's cards that override them.", least=0.05, most=1)
    oe_low: float = key(0.8, "Observed over expected number of outcomes, from below.", least=0.01, most=1)
    oe_high: float = key(1.25, "Observed over expected number of outcomes, from above.", least=1, most=100)
    oe_expected: float = key(
        50.0, "Fewest expected outcomes over which that is judged, in the latest months that have so many.", least=1
    )
    slow_ms: float = key(
        1000.0, "Milliseconds to an answer that one in twenty of a service may take.", least=1, most=60_000
    )
    kept_share: float = key(
        0.9, "Share of a language model's sentences that the record must support.", least=0.0, most=1.0
    )
    fall_back: bool = key(
        False,
        "Silence a model whose observed over expected number left its range: running workers follow within a minute.",
    )


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """One CDS Service; one table a service, under its id."""

    silent: bool = key(False, "Compute and store, and show nothing.")
    overridden_days: float | None = key(
        None, "In place of `alerts.overridden_days` and of what the service declares.", least=0, most=3650
    )
    thresholds: Mapping[str, float] = key(
        {}, "Thresholds of the service in place of its defaults; `curbside services` lists them."
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, one section a field."""

    server: Server = field(default_factory=Server)
    limits: Limits = field(default_factory=Limits)
    store: Store = field(default_factory=Store)
    plugins: Plugins = field(default_factory=Plugins)
    codes: Codes = field(default_factory=Codes)
    models: Models = field(default_factory=Models)
    cards: Cards = field(default_factory=Cards)
    knowledge: Knowledge = field(default_factory=Knowledge)
    app: App = field(default_factory=App)
    smart: Mapping[str, SmartEhr] = field(default_factory=dict)
    alerts: Alerts = field(default_factory=Alerts)
    services: Mapping[str, ServiceSettings] = field(default_factory=dict)
    fetch: Fetch = field(default_factory=Fetch)
    dev: Dev = field(default_factory=Dev)
    clients: Mapping[str, Client] = field(default_factory=dict)
    security: Security = field(default_factory=Security)
    cors: Cors = field(default_factory=Cors)
    discovery: Discovery = field(default_factory=Discovery)
    metrics: Metrics = field(default_factory=Metrics)
    llm: Llm = field(default_factory=Llm)
    monitoring: Monitoring = field(default_factory=Monitoring)

    def with_(self, section: str, **values: Any) -> Settings:
        """A copy with some keys of one section replaced: for the command line's options and tests."""
        return replace(self, **{section: replace(getattr(self, section), **values)})

    def base_url(self) -> str:
        """The URL by which CDS Clients reach the service, without a slash at its end."""
        scheme = "http" if self.server.tls_cert is None else "https"
        return (self.server.public_url or f"{scheme}://{address(self.server.host, self.server.port)}").rstrip("/")

    def store_url(self) -> str:
        """`store.url`, or the SQLite file in the user's state folder, whose folder is made."""
        if self.store.url:
            return self.store.url
        folder = _state_folder()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(
                f"settings: cannot make the folder {folder} ({error.strerror}). Set store.url to a database elsewhere."
            ) from error
        return f"sqlite:///{folder / 'curbside.db'}"

    def knowledge_path(self) -> Path:
        """`knowledge.path`, or the file in the user's state folder; it need not be there."""
        return self.knowledge.path or _state_folder() / "knowledge.db"


def _state_folder() -> Path:
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return home / "curbside"


def address(host: str, port: int) -> str:
    """`host:port`, with brackets where IPv6 needs them."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from a file and the environment.

    path: the TOML file; None for `$CURBSIDE_CONFIG`, else `curbside.toml` in the working folder if there is one.
    Raises SettingsError naming the key.
    """
    environ = os.environ if environ is None else environ
    chosen = file_of(path, environ)
    tables = _file(chosen) if chosen else {}
    base = chosen.resolve().parent if chosen else Path.cwd()
    for section, name, text in _variables(environ):
        table = tables.setdefault(section, {})
        table[name] = text
    return _settings(tables, base)


def file_of(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Path | None:
    """The settings file that `load` reads, or None if there is none."""
    environ = os.environ if environ is None else environ
    chosen = path or (Path(environ[CONFIG_VARIABLE]) if environ.get(CONFIG_VARIABLE) else None)
    if chosen is None and Path("curbside.toml").is_file():
        chosen = Path("curbside.toml")
    return chosen


def reference() -> str:
    """The Markdown of `docs/settings.md`: every section and key with type, default and meaning."""
    lines = [
        "# Settings",
        "",
        "Settings come from `curbside.toml` in the working folder (or `--config FILE`, or `$CURBSIDE_CONFIG`) and from",
        "variables such as `CURBSIDE_SERVER__PORT=9000`; a variable wins over the file.",
        "An unknown key is an error that names the nearest one.",
        "Lists in variables are JSON or separated by `,` (folders: `:`); tables are JSON.",
        "This page is made from `cds_service/settings.py`: `python -m cds_service.settings > docs/settings.md`.",
    ]
    for section in fields(Settings):
        hint = _section_types()[section.name]
        many = get_origin(hint) is Mapping
        type_ = _table_type(hint)
        lines += ["", f"## [{section.name}{'.NAME' if many else ''}]", "", inspect.cleandoc(str(type_.__doc__)), ""]
        lines += ["| key | default | variable | meaning |", "|---|---|---|---|"]
        for item in fields(type_):
            shown = _toml(getattr(type_(), item.name))
            variable = f"`{PREFIX}{section.name.upper()}__{'NAME` (JSON)' if many else item.name.upper() + '`'}"
            lines.append(f"| `{item.name}` | `{shown}` | {variable} | {item.metadata['doc']} |")
    return "\n".join([*lines, ""])


def _section_types() -> dict[str, Any]:
    return get_type_hints(Settings)


def _table_type(hint: Any) -> Any:
    """The dataclass of a section, or of each table of a section that holds one table a name."""
    return get_args(hint)[1] if get_origin(hint) is Mapping else hint


def _file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise SettingsError(f"settings: there is no file {path}. Name an existing file with --config.") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"settings: {path} cannot be read as TOML: {error}.") from error


def _variables(environ: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name in _OUTSIDE:
            continue
        section, separator, item = name.removeprefix(PREFIX).lower().partition("__")
        if not separator or not item:
            known = [
                f"{PREFIX}{s.upper()}__{f.name.upper()}"
                for s, t in _section_types().items()
                for f in fields(_table_type(t))
            ]
            raise SettingsError(f"settings: the variable {name} names no setting.{_nearest(name, known)}")
        yield section, item, environ[name]


def _settings(tables: Mapping[str, Any], base: Path) -> Settings:
    types = _section_types()
    sections: dict[str, Any] = {}
    for section, table in tables.items():
        if section not in types:
            raise SettingsError(f"settings: there is no section [{section}].{_nearest(section, list(types))}")
        if not isinstance(table, dict):
            raise SettingsError(f"settings: {section} must be a table: write [{section}] above its keys.")
        hint = types[section]
        if get_origin(hint) is Mapping:
            sections[section] = _tables(section, _table_type(hint), table, base)
        else:
            sections[section] = _section(section, hint, table, base)
    return Settings(**sections)


def _tables(section: str, type_: Any, tables: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """A section that holds one table a name; in a variable, a table is JSON."""
    found = {}
    for name, raw in tables.items():
        table = _json(f"{section}.{name}", raw) if isinstance(raw, str) else raw
        if not isinstance(table, dict):
            raise SettingsError(f"settings: {section}.{name} must be a table: write [{section}.{name}] above its keys.")
        found[name] = _section(f"{section}.{name}", type_, table, base)
    return found


def _section(section: str, type_: Any, table: Mapping[str, Any], base: Path) -> Any:
    known = {item.name: item for item in fields(type_)}
    hints = get_type_hints(type_)
    values = {}
    for name, raw in table.items():
        if name not in known:
            raise SettingsError(f"settings: there is no key {section}.{name}.{_nearest(name, list(known))}")
        values[name] = _value(f"{section}.{name}", hints[name], known[name], raw, base)
    return type_(**values)


def _value(where: str, hint: Any, item: Field[Any], raw: Any, base: Path) -> Any:
    if hint is bool:
        value: Any = _bool(where, raw)
    elif hint == Mapping[str, float]:
        value = _numbers(where, raw)
    elif hint in (int, float) or hint == float | None:
        hint = float if hint == float | None else hint
        value = _number(where, hint, raw, item.metadata["least"], item.metadata["most"])
    elif hint is str:
        value = _text(where, raw, item.metadata["choices"])
    elif hint == tuple[Path, ...]:
        value = tuple((base / Path(p).expanduser()).resolve() for p in _texts(where, raw, "folders", os.pathsep))
    elif hint == tuple[str, ...]:
        value = tuple(_texts(where, raw, "texts", ","))
    elif hint == Path | None:
        value = (base / Path(_text(where, raw)).expanduser()).resolve()
    else:
        value = _sign_offs(where, raw)
    return value


def _bool(where: str, raw: Any) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.lower() in words:
        return words[raw.lower()]
    raise SettingsError(f"settings: {where} must be true or false, got {raw!r}.")


_UNITS = {
    "_per_s": "calls a second",
    "_ms": "milliseconds",
    "_s": "seconds",
    "_bytes": "bytes",
    "_days": "days",
}  # by the end of a key


def _number(where: str, kind: type[int] | type[float], raw: Any, least: float | None, most: float | None) -> float:
    try:
        if isinstance(raw, bool) or (kind is int and isinstance(raw, float)):
            raise ValueError
        value = kind(raw)
        if not math.isfinite(value):
            raise ValueError
    except (TypeError, ValueError):
        what = "a whole number" if kind is int else "a number"
        unit = next((f" of {unit}" for end, unit in _UNITS.items() if where.endswith(end)), "")
        raise SettingsError(f"settings: {where} must be {what}{unit}, got {raw!r}.") from None
    if (least is not None and value < least) or (most is not None and value > most):
        limits = f"at least {least:g}" if most is None else f"between {least:g} and {most:g}"
        raise SettingsError(f"settings: {where} must be {limits}, got {raw}.")
    return value


def _text(where: str, raw: Any, choices: tuple[str, ...] = ()) -> str:
    if not isinstance(raw, str):
        raise SettingsError(f"settings: {where} must be text in quotes, got {raw!r}.")
    if choices and raw not in choices:
        raise SettingsError(f"settings: {where} must be one of {', '.join(choices)}, got {raw!r}.")
    return raw


def _numbers(where: str, raw: Any) -> dict[str, float]:
    raw = _json(where, raw) if isinstance(raw, str) else raw
    if not isinstance(raw, dict):
        raise SettingsError(f"settings: {where} must be a table of numbers: {{ name = 7.5 }}.")
    return {name: _number(f"{where}.{name}", float, number, None, None) for name, number in raw.items()}


def _texts(where: str, raw: Any, what: str, separator: str) -> list[str]:
    if isinstance(raw, str):
        given = raw.split(separator)
        raw = _json(where, raw) if raw.lstrip().startswith("[") else [part.strip() for part in given if part.strip()]
    if not isinstance(raw, list) or not all(isinstance(part, str) for part in raw):
        raise SettingsError(f'settings: {where} must be a list of {what} such as ["one", "another"].')
    return raw


def _sign_offs(where: str, raw: Any) -> dict[str, SignOff]:
    if isinstance(raw, str):
        raw = _json(where, raw)
    if not isinstance(raw, dict):
        raise SettingsError(f"settings: {where} must hold one table a model: [{where}.the-model-id].")
    return {model: _sign_off(f"{where}.{model}", entry) for model, entry in raw.items()}


def _sign_off(where: str, entry: Any) -> SignOff:
    needed = ("version", "by", "on", "report")
    known = {item.name for item in fields(SignOff)}
    if not isinstance(entry, dict) or not set(needed) <= set(entry) <= known:
        raise SettingsError(
            f"settings: {where} must have exactly the keys {', '.join(needed)}, report_sha256 and conditions. Let "
            "`curbside models sign-off` write it."
        )
    on = entry["on"]
    try:
        day = on if type(on) is date else date.fromisoformat(on)
    except (TypeError, ValueError):
        raise SettingsError(f"settings: {where}.on must be a date such as 2026-05-06, got {on!r}.") from None
    texts = {name: _text(f"{where}.{name}", entry[name]) for name in ("version", "by", "report")}
    for name, text in texts.items():
        if not text.strip():
            raise SettingsError(f"settings: {where}.{name} is empty. Say who signed off which version on which report.")
    digests = {name: _text(f"{where}.{name}", entry.get(name, "")) for name in ("report_sha256", "conditions")}
    return SignOff(on=day, **texts, **digests)


def _json(where: str, raw: str) -> Any:
    import json

    try:
        return json.loads(raw)
    except ValueError:
        raise SettingsError(f"settings: {where} must be JSON in the variable, and is not.") from None


def _nearest(name: str, known: list[str]) -> str:
    found = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f" Did you mean {found[0]}?" if found else f" Known: {', '.join(known)}."


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{part}"' for part in value) + "]"
    if value is None:
        return ""
    if isinstance(value, dict):
        return "{}"
    return str(value)


if __name__ == "__main__":
    print(reference(), end="")
