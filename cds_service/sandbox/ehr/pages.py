"""The pages of the sandbox EHR: patients, a chart with its cards, the developer's view and the switches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson
from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Redirect

from cds_service.errors import InputError
from cds_service.protocol.hooks import HOOKS
from cds_service.sandbox.ehr import drafts, view
from cds_service.sandbox.ehr.client import CdsClient, current_encounter
from cds_service.sandbox.ehr.state import SWITCHES, USER, Chart, Ehr, ShownCard
from cds_service.sandbox.ehr.tokens import Launch

_USER_ID = f"Practitioner/{USER['id']}"
HOOK_BUTTONS = {  # the hooks that need no button of their own, as an EHR would name the moment
    "appointment-book": "Book an appointment",
    "medication-verify": "Verify a medicine",
    "order-dispatch": "Send the drafts to a performer",
    "allergyintolerance-create": "Record an allergy",
    "problem-list-item-create": "Record a problem",
}


@dataclass(frozen=True, slots=True)
class Screens:
    """What each page shows and each button does; every method answers one address."""

    ehr: Ehr
    client: CdsClient

    def common(self) -> dict[str, Any]:
        """What every page knows."""
        return {"switches": SWITCHES, "active": sorted(self.ehr.switches), "user": USER["name"][0]["text"]}

    def patients(self) -> str:
        """The list of patients."""
        rows = [(chart, view.person(chart.patient, self.ehr.now().date())) for chart in self.ehr.charts.values()]
        return render_template("patients.html", rows=rows)

    def chart(self, id_: str, problem: str = "") -> str:
        """A patient's chart. problem: why an order could not be drafted."""
        found = _chart(self.ehr, id_)
        return render_template(
            "chart.html",
            chart=found,
            person=view.person(found.patient, self.ehr.now().date()),
            sections=_sections(found),
            orderables=drafts.ORDERABLES,
            drafts=[line for line in _order_lines(found) if line.name in found.drafts],
            encounter=current_encounter(found),
            hooks=HOOK_BUTTONS,
            problem=problem,
        )

    def call(self, id_: str, hook: str) -> str:
        """The cards of a hook, as a part of the chart's page."""
        found = _chart(self.ehr, id_)
        if hook not in HOOKS:
            abort(404)
        lacking = _lacking(found, hook)
        answers = self.client.hook(found, hook, _members(found, hook)) if lacking is None else []
        last = self.ehr.exchanges[0] if self.ehr.exchanges else None
        return render_template(
            "cards.html", answers=answers, hook=hook, markdown=view.markdown, last=last, lacking=lacking
        )

    def order(self, id_: str) -> Redirect | tuple[str, int]:
        """Drafts an order; the chart then asks about the selection."""
        found = _chart(self.ehr, id_)
        sent = request.form
        try:
            row = drafts.draft(sent.get("key", ""), sent.get("text", ""), id_, _USER_ID, self.ehr.now())
        except InputError as error:
            return self.chart(id_, str(error)), 400
        with self.ehr.lock:
            found.put(row)
        return redirect(url_for("pages.chart", id_=id_, hook="order-select"))

    def sign(self, id_: str) -> Redirect:
        """Signs all drafts."""
        found = _chart(self.ehr, id_)
        with self.ehr.lock:
            for name in tuple(found.drafts):
                found.put(found.shelf.rows[name] | {"status": "active"})
            found.drafts.clear()
        return redirect(url_for("pages.chart", id_=id_))

    def remove(self, id_: str, type_: str, row_id: str) -> Redirect:
        """Deletes a draft."""
        with self.ehr.lock:
            _chart(self.ehr, id_).remove(f"{type_}/{row_id}")
        return redirect(url_for("pages.chart", id_=id_))

    def accept(self, uuid: str) -> str:
        """Carries out a suggestion and tells the service."""
        shown = _card(self.ehr, uuid)
        wanted = request.form.get("suggestion")
        chosen = next((s for s in shown.card.get("suggestions", ()) if s.get("uuid") == wanted), None)
        if chosen is None:
            abort(404)
        done = self.ehr.apply(self.ehr.charts[shown.chart], chosen.get("actions", ()))
        told = self.client.feedback(shown, {"outcome": "accepted", "acceptedSuggestions": [{"id": wanted}]})
        return render_template("done.html", done=done, told=told, label=chosen["label"])

    def dismiss(self, uuid: str) -> str:
        """Tells the service that a card was dismissed, and why."""
        shown = _card(self.ehr, uuid)
        told = self.client.feedback(shown, {"outcome": "overridden", **_reason(shown, request.form)})
        return render_template("done.html", done=[], told=told, label=None)

    def launch(self, uuid: str) -> Redirect:
        """Opens a card's SMART app: a launch of this chart, with the card's `appContext`."""
        shown = _card(self.ehr, uuid)
        links = [link for link in shown.card.get("links", ()) if link["type"] == "smart"]
        if not links:
            abort(404)
        chart = self.ehr.charts[shown.chart]
        framed = request.args.get("framed") == "1"
        opened = Launch(chart.id, current_encounter(chart), links[0].get("appContext"), framed)
        query = urlencode({"iss": self.ehr.fhir, "launch": self.ehr.tokens.launch(opened)})
        return redirect(f"{links[0]['url']}?{query}")

    def exchanges(self) -> str:
        """The developer's view."""
        return render_template("exchanges.html", exchanges=list(self.ehr.exchanges))

    def show_switches(self) -> str:
        """The fault switches."""
        return render_template("switches.html")

    def set_switches(self) -> Redirect:
        """Sets the fault switches."""
        with self.ehr.lock:
            self.ehr.switches = {name for name in SWITCHES if name in request.form}
        return redirect(url_for("pages.show_switches"))

    def resource(self, id_: str, type_: str, row_id: str) -> Response:
        """A resource of a chart as it is."""
        found = _chart(self.ehr, id_).shelf.read(f"{type_}/{row_id}")
        if found is None:
            abort(404)
        return Response(orjson.dumps(found, option=orjson.OPT_INDENT_2), mimetype="application/json")


def blueprint(ehr: Ehr, client: CdsClient) -> Blueprint:
    """All pages and the actions behind their buttons."""
    routes, screens = Blueprint("pages", __name__), Screens(ehr, client)
    routes.context_processor(screens.common)
    for method, path, view_function in (
        ("GET", "/", screens.patients),
        ("GET", "/patients/<id_>", screens.chart),
        ("GET", "/patients/<id_>/resources/<type_>/<row_id>", screens.resource),
        ("POST", "/patients/<id_>/hooks/<hook>", screens.call),
        ("POST", "/patients/<id_>/orders", screens.order),
        ("POST", "/patients/<id_>/orders/sign", screens.sign),
        ("POST", "/patients/<id_>/orders/<type_>/<row_id>/remove", screens.remove),
        ("POST", "/cards/<uuid>/accept", screens.accept),
        ("POST", "/cards/<uuid>/dismiss", screens.dismiss),
        ("GET", "/cards/<uuid>/launch", screens.launch),
        ("GET", "/exchanges", screens.exchanges),
        ("GET", "/switches", screens.show_switches),
        ("POST", "/switches", screens.set_switches),
    ):
        routes.add_url_rule(path, view_func=view_function, methods=[method])
    return routes


def _chart(ehr: Ehr, id_: str) -> Chart:
    found = ehr.charts.get(id_)
    if found is None:
        abort(404)
    return found


def _card(ehr: Ehr, uuid: str) -> ShownCard:
    found = ehr.cards.get(uuid)
    if found is None:
        abort(404)
    return found


def _sections(chart: Chart) -> list[tuple[str, list[view.Line]]]:
    return [
        ("Problems", view.problems(chart)),
        ("Medicines", view.medicines(chart)),
        ("Allergies", view.allergies(chart)),
        ("Latest results", view.results(chart)),
        ("Orders", view.orders(chart)),
        ("Encounters", view.encounters(chart)[:6]),
        ("Documents and reports", view.documents(chart)),
    ]


def _order_lines(chart: Chart) -> list[view.Line]:
    return [*view.orders(chart), *view.medicines(chart)]


def _lacking(chart: Chart, hook: str) -> str | None:
    """What has to be on the screen before this moment can come; None if it can."""
    if hook in ("order-select", "order-sign", "order-dispatch") and not chart.drafts:
        return 'This moment comes with an order: choose a medicine or a test under "Draft an order" first.'
    if hook in ("medication-refill", "medication-verify") and not chart.rows("MedicationRequest"):
        return "This chart has no medicine: draft one first."
    if hook == "allergyintolerance-create" and not chart.rows("AllergyIntolerance"):
        return "This chart has no allergy that could be recorded."
    return None


def _members(chart: Chart, hook: str) -> dict[str, Any]:
    """The members of a hook's context beside the ids, from what is on the screen."""
    bundle = chart.draft_bundle()
    medicines = [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "MedicationRequest"]
    held = medicines or chart.rows("MedicationRequest")[:1]
    listed = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": row} for row in held]}
    members: dict[str, dict[str, Any]] = {
        "order-select": {"selections": list(chart.drafts[-1:]), "draftOrders": bundle},
        "order-sign": {"draftOrders": bundle},
        "order-dispatch": {"dispatchedOrders": list(chart.drafts), "performer": _USER_ID},
        "medication-refill": {"medications": listed},
        "medication-verify": {"medication": next(iter(held), None)},
        "appointment-book": {"appointments": {"resourceType": "Bundle", "type": "collection", "entry": []}},
        "allergyintolerance-create": {"allergyIntolerance": next(iter(chart.rows("AllergyIntolerance")), None)},
        "problem-list-item-create": {
            "conditions": {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [{"resource": row} for row in chart.rows("Condition")[:1]],
            }
        },
    }
    return members.get(hook, {})


def _reason(shown: ShownCard, form: Mapping[str, str]) -> dict[str, Any]:
    """The `overrideReason` of a dismissal, as far as one was given."""
    code, comment = form.get("reason", ""), form.get("comment", "").strip()
    coding = next((r for r in shown.card.get("overrideReasons", ()) if r["code"] == code), None)
    reason = ({"reason": coding} if coding else {}) | ({"userComment": comment} if comment else {})
    return {"overrideReason": reason} if reason else {}
