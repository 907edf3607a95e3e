"""CDS Hooks 2.0 request: from the bytes of a body to a `HookRequest`, in one pass over the declared members.

Lenient in: unknown members, `extension` and resource types that Curbside does not read are passed over.
What makes an answer unsafe or impossible is a `BadRequest` with one sentence: the path and the type that
was expected, never a value of the payload.

Depth: members that are not declared are skipped, not built, and the parser gives up at the interpreter's
own recursion limit before its stack is in danger; among declared members only `contained`, `extension` and
a Bundle in a Bundle can nest, under the same limit. The rest of `context` is the only part that is built
without a shape, so there, and only there, levels are counted.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast
from uuid import UUID

import msgspec

from cds_service.errors import BadRequest
from cds_service.fhir import resources
from cds_service.outbound import Secret
from cds_service.protocol import context as contexts
from cds_service.protocol.faults import position, worded


@dataclass(frozen=True, slots=True)
class PrefetchValue:
    """What arrived under one prefetch key.

    state: `present`; `none` for null (the CDS Client looked and there is nothing); `refused` for an
        OperationOutcome, alone or as the only content of a Bundle, and for entries without a resource, as a batch
        has for what it was refused. A key that is absent has no PrefetchValue at all.
    resources, full_urls: entries of Bundles are flattened; search outcomes are not data.
    complete: False if a Bundle says that there are further pages, or counts more than it holds, or is withheld from;
        next_url: where the further pages are, if it says so.
    withheld: True if an OperationOutcome beside the rows says that some were left out.
    """

    state: Literal["present", "none", "refused"]
    resources: tuple[resources.AnyResource, ...] = ()
    full_urls: tuple[str | None, ...] = ()
    complete: bool = True
    next_url: str | None = None
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class FhirAuthorization:
    """Leave to ask the EHR's FHIR server for this one call. The token is used and forgotten: nothing shows it.

    scopes: as granted, in SMART's words; empty where the CDS Client names none. expires_in: seconds.
    """

    token: Secret
    scopes: tuple[str, ...] = ()
    subject: str | None = None
    expires_in: float | None = None


@dataclass(frozen=True, slots=True)
class HookRequest:
    """One call of a CDS Client. `context` holds the members other than the three ids.

    hook: a hook of the library; a deprecated one under the name of its successor. passed_over: how many prefetch values
    were left aside, which nobody asked for and which are no resources.
    """

    hook: str
    hook_instance: UUID
    patient_id: str
    user_id: str | None
    encounter_id: str | None
    fhir_server: str | None
    prefetch: Mapping[str, PrefetchValue]
    context: Mapping[str, Any]
    fhir_authorization: FhirAuthorization | None = None
    passed_over: int = 0


class _Authorization(msgspec.Struct, frozen=True, gc=False):
    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - the type of the token, not a token
    expires_in: float | None = None
    scope: str | None = None
    subject: str | None = None
    patient: str | None = None


class _Members(msgspec.Struct, rename="camel", frozen=True, gc=False):
    """The members of a hook call that are read, but for prefetch."""

    hook: str
    hook_instance: UUID
    context: dict[str, Any]
    fhir_server: str | None = None
    fhir_authorization: _Authorization | None = None


class Body(_Members, rename="camel", frozen=True, gc=False):
    """The members of a hook call that are read."""

    prefetch: dict[str, resources.AnyResource | None] | None = None


class _Shell(_Members, rename="camel", frozen=True, gc=False):
    """The same with prefetch as it came."""

    prefetch: dict[str, msgspec.Raw] | None = None


_DECODER: msgspec.json.Decoder[Body] = msgspec.json.Decoder(Body)
_SHELL: msgspec.json.Decoder[_Shell] = msgspec.json.Decoder(_Shell)
_KEYED: msgspec.json.Decoder[Any] = resources.decoder(resources.AnyResource | None)


def decode(body: bytes, *, max_depth: int = 64, keys: Collection[str] | None = None) -> HookRequest:
    """The request in a body of JSON.

    max_depth: levels that the rest of `context` may have. keys: the prefetch keys that were asked for, by default all:
    what comes under another one is read like them if it can be, and else passed over and counted, because a client may
    send what other services asked for, or what is no FHIR.
    Raises BadRequest, and nothing else, for whatever cannot be understood.
    """
    try:
        if not body.isascii():
            body.decode()  # the parser does not look into the members that it skips
        parsed, passed_over = _DECODER.decode(body), 0
    except UnicodeDecodeError:
        raise BadRequest("The body must be JSON in UTF-8, but holds bytes that are not UTF-8.") from None
    except msgspec.ValidationError as error:
        parsed, passed_over = _without_strangers(body, worded(str(error)), keys)
    except msgspec.DecodeError as error:
        raise BadRequest(f"The body is not well-formed JSON{position(str(error))}.") from None
    except RecursionError:
        raise BadRequest("The body is nested too deeply: a CDS Hooks request has a few levels.") from None
    return _request(parsed, max_depth, passed_over)


def _without_strangers(body: bytes, sentence: str, keys: Collection[str] | None) -> tuple[Body, int]:
    """The body without the prefetch values that nobody asked for and that cannot be read, and how many they are.

    sentence: what is wrong with the body as a whole. Raises BadRequest if anything else is wrong with it: then with
    the prefetch key in place of the parser's `[...]`, if it is one that was asked for.
    """
    if "prefetch[...]" not in sentence:
        raise BadRequest(sentence)
    try:
        shell = _SHELL.decode(body)
    except msgspec.ValidationError as error:
        raise BadRequest(worded(str(error))) from None
    except (msgspec.DecodeError, RecursionError):  # what follows the fault is not even JSON: no key to name
        raise BadRequest(sentence) from None
    read: dict[str, resources.AnyResource | None] = {}
    for key, raw in (shell.prefetch or {}).items():
        try:
            read[key] = _KEYED.decode(raw)
        except (msgspec.DecodeError, RecursionError) as error:
            if keys is None or key in keys:
                name = key if re.fullmatch(r"[\w.-]{1,64}", key) else "[...]"
                raise BadRequest(worded(str(error), f"prefetch.{name}".replace(".[", "["))) from None
    if (strangers := len(shell.prefetch or {}) - len(read)) == 0:  # a key that came twice
        raise BadRequest(sentence)
    members = {name: getattr(shell, name) for name in shell.__struct_fields__}
    return Body(**members | {"prefetch": read}), strangers


def decode_resource(body: bytes) -> resources.AnyResource:
    """One FHIR resource or Bundle in JSON, read as leniently as a prefetched one. Raises BadRequest."""
    try:
        return _RESOURCE.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except msgspec.ValidationError as error:
        raise BadRequest(worded(str(error))) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"The resource is not well-formed JSON{position(str(error))}.") from None
    except RecursionError:
        raise BadRequest("The resource is nested too deeply.") from None


_RESOURCE: msgspec.json.Decoder[resources.AnyResource] = resources.decoder(resources.AnyResource)


def _request(body: Body, max_depth: int, passed_over: int) -> HookRequest:
    if not body.hook.strip():
        raise BadRequest("hook must be the name of a hook, got an empty text.")
    context = contexts.read(body.hook.strip(), body.context, max_depth)
    return HookRequest(
        hook=context.hook,
        hook_instance=body.hook_instance,
        patient_id=context.patient_id,
        user_id=context.user_id,
        encounter_id=context.encounter_id,
        fhir_server=body.fhir_server,
        prefetch={key: value_of(found) for key, found in (body.prefetch or {}).items()},
        context=context.members,
        fhir_authorization=_authorization(body, context.patient_id),
        passed_over=passed_over,
    )


BEARER = re.compile(r"[A-Za-z0-9\-._~+/]{1,16384}=*")  # RFC 6750, section 2.1


def _authorization(body: Body, patient_id: str) -> FhirAuthorization | None:
    """The token for the EHR's server. Raises BadRequest where it cannot be one, or is another patient's.

    An empty token is none: clients whose authorization server is off send that, and an open server asks for none.
    """
    given = body.fhir_authorization
    if given is None or not given.access_token:
        return None
    if not body.fhir_server:
        raise BadRequest("fhirServer is required where fhirAuthorization is given, got nothing.")
    if BEARER.fullmatch(given.access_token) is None:
        raise BadRequest("fhirAuthorization.access_token must be a bearer token (RFC 6750, section 2.1).")
    if given.token_type.lower() != "bearer":
        raise BadRequest("fhirAuthorization.token_type must be Bearer.")
    if given.patient is not None and given.patient.removeprefix("Patient/") != patient_id:
        raise BadRequest("fhirAuthorization.patient must be the patient of context.patientId: both ids must be equal.")
    scopes = tuple((given.scope or "").split())
    return FhirAuthorization(Secret(given.access_token), scopes, given.subject, given.expires_in)


def value_of(found: resources.AnyResource | None, *, counted: bool = True) -> PrefetchValue:
    """What a prefetched or fetched resource means: none, refused, or its resources with Bundles flattened.

    counted: False for a page after the first, whose `total` is that of all pages.
    """
    if found is None:
        return PrefetchValue("none")
    if isinstance(found, resources.OperationOutcome):
        return PrefetchValue("refused")
    if not isinstance(found, resources.Bundle):
        return PrefetchValue("present", (found,), (None,))
    kept, urls = flatten(found)
    if not kept and _only_refusals(found):
        return PrefetchValue("refused")
    following = next((link for link in found.link if link.relation == "next"), None)
    where = following.url if following is not None else None
    held, inner = len(found.entry), _inner(found)
    withheld = len(kept) != held and (any(map(_leaves_out, _outcomes(found))) or any(map(_is_empty, found.entry)))
    withheld = withheld or any(part.withheld or part.state == "refused" for part in inner)
    short = counted and (found.total or 0) > held
    complete = following is None and not withheld and not short and all(part.complete for part in inner)
    unread = [part for part in inner if not part.complete]
    if unread:  # of several lists that go on, there is no one address to go on at
        where = unread[0].next_url if len(unread) == 1 and following is None else None
    return PrefetchValue("present", tuple(kept), tuple(urls), complete, where, withheld)


def _inner(bundle: resources.Bundle) -> list[PrefetchValue]:
    """What the Bundles inside one mean, as a batch has one for each of its questions: then the first is one."""
    if not bundle.entry or not isinstance(bundle.entry[0].resource, resources.Bundle):
        return []
    return [value_of(entry.resource) for entry in bundle.entry if isinstance(entry.resource, resources.Bundle)]


def _is_empty(entry: resources.BundleEntry) -> bool:
    return entry.resource is None


def flatten(bundle: resources.Bundle) -> tuple[list[resources.AnyResource], list[str | None]]:
    """The resources of a Bundle and their full URLs; Bundles inside are opened, search outcomes left out."""
    entries = [e for e in bundle.entry if e.search is None or e.search.mode != "outcome"]
    found = [e.resource for e in entries]
    if _RARE.isdisjoint(map(type, found)):
        return cast("list[resources.AnyResource]", found), [e.full_url for e in entries]
    kept: list[resources.AnyResource] = []
    urls: list[str | None] = []
    for entry in entries:
        if isinstance(entry.resource, resources.Bundle):
            inner, inner_urls = flatten(entry.resource)
            kept += inner
            urls += inner_urls
        elif entry.resource is not None and not isinstance(entry.resource, resources.OperationOutcome):
            kept.append(entry.resource)
            urls.append(entry.full_url)
    return kept, urls


_RARE = frozenset({type(None), resources.Bundle, resources.OperationOutcome})


def _only_refusals(bundle: resources.Bundle) -> bool:
    """True for entries with nothing but errors: the CDS Client was refused and wrapped the refusal."""
    if any(entry.resource is None for entry in bundle.entry):
        return True
    return any(issue.severity in _ERRORS for issue in _outcomes(bundle))


def _outcomes(bundle: resources.Bundle) -> list[resources.Issue]:
    """What the entries of a Bundle say of how it came about."""
    found = (entry.resource for entry in bundle.entry if isinstance(entry.resource, resources.OperationOutcome))
    return [issue for outcome in found for issue in outcome.issue]


_ERRORS = ("error", "fatal")
_LEFT_OUT = frozenset(
    {
        "suppressed", "forbidden", "security", "login", "expired", "incomplete", "timeout", "transient", "throttled",
        "too-costly", "exception", "lock-error", "no-store",
    }
)  # fmt: skip


def _leaves_out(issue: resources.Issue) -> bool:
    """True for an error, and for a warning that not all is here; not for one such as "no results" or "processing".

    Source: hl7.org/fhir/R4/valueset-issue-type.html. Epic warns with `suppressed` of parts of a type that the client
    may not see, and with `processing` in nearly every answer.
    """
    return issue.severity in _ERRORS or issue.code in _LEFT_OUT
