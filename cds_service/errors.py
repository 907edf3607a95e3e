"""The one tree of errors; each class knows the HTTP status and the exit code that it means.

A message says what was expected, what arrived (never a patient's data), and what to change.
"""

from __future__ import annotations


class CurbsideError(Exception):
    """Any failure that Curbside words itself."""

    http_status = 500
    issue_code = "exception"  # OperationOutcome.issue.code, FHIR R4 value set issue-type
    exit_code = 2
    retry_after_s: int | None = None  # sent as Retry-After: when the same call may succeed


class BadRequest(CurbsideError):
    """The request cannot be understood: malformed JSON, wrong types, another patient's data."""

    http_status = 400
    issue_code = "invalid"


class Unauthorized(CurbsideError):
    """The caller has not proved who it is. The answer gives no reason; `reason` is for the log and holds no claims."""

    http_status = 401
    issue_code = "login"

    def __init__(self, reason: str, client: str | None = None) -> None:
        super().__init__("the call is not authorised")
        self.reason = reason
        self.client = client  # the name in the settings, where the token's issuer is configured


class Forbidden(CurbsideError):
    """The caller is known, and may not do this: it names a FHIR server that is not configured for it."""

    http_status = 403
    issue_code = "forbidden"


class UnknownService(CurbsideError):
    """No CDS Service has this id."""

    http_status = 404
    issue_code = "not-found"


class UnknownModel(CurbsideError):
    """No model has this id."""

    http_status = 404
    issue_code = "not-found"


class UnknownCard(CurbsideError):
    """No such card was given to this caller: the same answer whether it is another's or nobody's."""

    http_status = 404
    issue_code = "not-found"


class PayloadTooLarge(CurbsideError):
    """The body exceeds `limits.max_body_bytes`."""

    http_status = 413
    issue_code = "too-long"


class UnsupportedMediaType(CurbsideError):
    """The body is not `application/json`, or is compressed."""

    http_status = 415
    issue_code = "not-supported"


class PreconditionFailed(CurbsideError):
    """Data that the service needs can be had neither from prefetch nor from the FHIR server (412)."""

    http_status = 412
    issue_code = "incomplete"
    exit_code = 1  # a refusal, not a mistake on the command line


class SettingsError(CurbsideError):
    """`curbside.toml` or a `CURBSIDE_*` variable is wrong; the message names the key."""


class PluginError(CurbsideError):
    """A file in `models/` or `hooks/` cannot be loaded; the message names the file."""


class FeatureMismatch(CurbsideError):
    """A table or matrix does not have the columns that the model's manifest declares."""


class InvalidOutput(CurbsideError):
    """Something of our own making breaks the standard: a bug here, never the caller's fault."""


class StoreError(CurbsideError):
    """The database cannot be reached, read or written."""

    http_status = 503
    issue_code = "transient"


class Overloaded(CurbsideError):
    """More requests wait than `limits.max_waiting` allows; the client may try again."""

    retry_after_s = 1
    http_status = 503
    issue_code = "throttled"


class TooManyRequests(CurbsideError):
    """A CDS Client calls more often than `limits.rate_per_s` allows."""

    http_status = 429
    issue_code = "throttled"


class RequestTimeout(CurbsideError):
    """The body did not arrive within `limits.read_s`."""

    http_status = 408
    issue_code = "timeout"


class VectorFileError(CurbsideError):
    """A file given to `curbside models vectors` is not a vector file; the message names the file."""


class InputError(CurbsideError):
    """A file given on the command line cannot be read or is not what it should be."""

    http_status = 400
    issue_code = "invalid"


class KnowledgeError(CurbsideError):
    """The knowledge graph is missing, of another version, or asked for what it cannot answer."""
