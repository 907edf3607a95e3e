"""The sample requests: which service is called about which patient, and broken calls with the status they deserve."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cds_service.sandbox.patients import BY_NAME
from cds_service.sandbox.prefetch import request_for
from cds_service.sandbox.resources import Json

# (service, sample): each request is there for what the README says of its sample.
CALLS = (
    ("cardiovascular-risk", "primary-prevention"),
    ("cardiovascular-risk", "missing-lipids"),
    ("af-anticoagulation", "af-not-anticoagulated"),
    ("af-anticoagulation", "af-anticoagulated"),
    ("af-anticoagulation", "mechanical-valve"),
    ("cardiovascular-risk", "hostile-text"),
    ("cardiovascular-risk", "chinese-record"),
    ("cardiovascular-risk", "healthy-adult"),
    ("kidney-liver-check", "ckd-g3b-albuminuria"),
    ("kidney-liver-check", "acute-deterioration"),
    ("kidney-liver-check", "masld-high-fib4"),
    ("kidney-liver-check", "wrong-units"),
    ("cirrhosis", "cirrhosis"),
    ("cirrhosis", "metastatic-cancer"),
    ("diabetes", "diabetes-poor-control"),
    ("diabetes", "diabetes-good-control"),
    ("diabetes", "wrong-units"),
    ("drug-safety", "unsafe-orders"),
    ("drug-safety-select", "unsafe-orders"),
    ("drug-safety-refill", "unsafe-orders"),
    ("drug-safety-verify", "unsafe-orders"),
    ("renal-dosing", "renal-drafts"),
    ("renal-dosing-select", "renal-drafts"),
    ("prognosis", "heart-failure"),
    ("prognosis", "af-not-anticoagulated"),
    ("prognosis", "acute-deterioration"),
    ("serious-illness", "third-day"),
    ("serious-illness", "acute-deterioration"),
    ("deterioration", "acute-deterioration"),
    ("deterioration", "partial-vitals"),
    ("deterioration", "copd-scale-2"),
    ("pneumonia-severity", "acute-deterioration"),
    ("vte-prophylaxis", "bed-rest"),
    ("vte-prophylaxis", "partial-vitals"),
    ("suspected-thrombosis", "swollen-leg"),
    ("transition-of-care", "going-home"),
    ("transition-of-care", "medicines-changed"),
    ("cancer-thrombosis", "before-chemotherapy"),
    ("preventive-care", "healthy-adult"),
    ("preventive-care", "metastatic-cancer"),
    ("precision-oncology", "egfr-l858r-lung"),
    ("precision-oncology", "braf-v600e-melanoma"),
    ("precision-oncology", "braf-v600e-colorectal"),
    ("precision-oncology", "erbb2-amplification-breast"),
    ("precision-oncology", "kras-g12c-lung"),
    ("precision-oncology", "brca1-ovary"),
    ("pharmacogenomics", "gene-drafts"),
    ("pharmacogenomics-select", "gene-drafts"),
)
BROKEN_FROM = ("cardiovascular-risk", "missing-lipids")


@dataclass(frozen=True, slots=True)
class Broken:
    """A body that must not be answered with cards (or, for 200, must be), and why."""

    name: str
    status: int
    why: str
    body: Callable[[Json], bytes]


def requests(discovery: Mapping[str, Any]) -> dict[str, Json]:
    """File stem -> request, for each of `CALLS` whose service discovery lists."""
    services = {service["id"]: service for service in discovery["services"]}
    return {
        f"{service}.{sample}": request_for(services[service], BY_NAME[sample].chart().bundle())
        for service, sample in CALLS
        if service in services
    }


def broken(discovery: Mapping[str, Any]) -> dict[str, tuple[Broken, bytes]]:
    """File stem -> what is wrong and the body, all made from one good request."""
    service, sample = BROKEN_FROM
    entry = next(s for s in discovery["services"] if s["id"] == service)
    good = request_for(entry, BY_NAME[sample].chart().bundle())
    return {case.name: (case, case.body(copy.deepcopy(good))) for case in BROKEN}


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def _with(**members: Any) -> Callable[[Json], bytes]:
    """The request with members of its top level replaced."""
    return lambda request: _json(request | members)


def _prefetch(key: str, value: Any) -> Callable[[Json], bytes]:
    """The request with one prefetch value replaced."""
    return lambda request: _json(request | {"prefetch": request["prefetch"] | {key: value}})


def _without(*path: str) -> Callable[[Json], bytes]:
    """The request without one member."""

    def body(request: Json) -> bytes:
        holder = request
        for name in path[:-1]:
            holder = holder[name]
        del holder[path[-1]]
        return _json(request)

    return body


def _other_patient(request: Json) -> bytes:
    request["prefetch"]["patient"]["id"] = "someone-else"
    return _json(request)


def _nested(request: Json) -> bytes:
    deep: Any = "bottom"
    for _ in range(200):
        deep = {"a": deep}
    request["context"]["extension"] = deep
    return _json(request)


_OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "forbidden", "diagnostics": "access to Condition denied"}],
}
BROKEN = (
    Broken("cut-off", 400, "JSON that ends in the middle.", lambda r: _json(r)[:2000]),
    Broken("no-json", 400, "Not JSON at all.", lambda _: b"patientId=missing-lipids&hook=patient-view\n"),
    Broken("not-a-number", 400, "NaN, which JSON does not have.", lambda r: _json(r)[:-2] + b',"x":NaN}\n'),
    Broken("array", 400, "An array instead of an object.", lambda r: _json([r["hook"]])),
    Broken("wrong-type", 400, "context is text.", _with(context="missing-lipids")),
    Broken("no-context", 400, "The required member context is missing.", _without("context")),
    Broken("no-hook-instance", 400, "The required member hookInstance is missing.", _without("hookInstance")),
    Broken("hook-instance-no-uuid", 400, "hookInstance is no UUID.", _with(hookInstance="1")),
    Broken("no-patient-id", 400, "context.patientId is missing.", _without("context", "patientId")),
    Broken("other-hook", 400, "A patient-view service called with order-sign.", _with(hook="order-sign")),
    Broken("other-patient", 400, "The prefetched Patient is someone else.", _other_patient),
    Broken("not-fhir", 400, "A prefetch value without resourceType.", _prefetch("patient", {"name": "Lydia"})),
    Broken("unknown-type", 400, "A resourceType that FHIR does not know.", _prefetch("labs", {"resourceType": "Lab"})),
    Broken("deep", 400, "A context nested 200 levels deep.", _nested),
    Broken("absent-key", 412, "A prefetch key that the service needs is absent.", _without("prefetch", "conditions")),
    Broken("no-prefetch", 412, "No prefetch at all, and no FHIR server to ask.", _without("prefetch")),
    Broken("null-patient", 412, "The Patient is null: there is nobody to speak of.", _prefetch("patient", None)),
    Broken("operation-outcome", 412, "The EHR was refused the conditions.", _prefetch("conditions", _OUTCOME)),
    Broken("null-list", 200, "null for a list means that there is none; not an error.", _prefetch("medications", None)),
)
