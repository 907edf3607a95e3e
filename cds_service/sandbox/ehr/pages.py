"""The pages of the sandbox EHR: patients, a chart with its cards, the developer's view and the switches."""

from __future__ import annotations

from collections.abc import Mapping
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


def blueprint(ehr: Ehr, client: CdsClient) -> Blueprint:
    """All pages and the actions behind their buttons."""
    routes = Blueprint("pages", __name__)

    @routes.context_processor
    def common() -> dict[str, Any]:
        return {"switches": SWITCHES, "active": sorted(ehr.switches), "user": USER["name"][0]["text"]}

    @routes.get("/")
    def patients() -> str:
        rows = [(chart, view.person(chart.patient, ehr.now().date())) for chart in ehr.charts.values()]
        return render_template("patients.html", rows=rows)

    @routes.get("/patients/<id_>")
    def chart(id_: str) -> str:
        found = _chart(ehr, id_)
        return render_template(
            "chart.html",
            chart=found,
            person=view.person(found.patient, ehr.now().date()),
            sections=_sections(found),
            orderables=drafts.ORDERABLES,
            drafts=[line for line in _order_lines(found) if line.name in found.drafts],
            encounter=current_encounter(found),
        )

    @routes.post("/patients/<id_>/hooks/<hook>")
    def call(id_: str, hook: str) -> str:
        found = _chart(ehr, id_)
        if hook not in HOOKS:
            abort(404)
        answers = client.hook(found, hook, _members(found, hook))
        return render_template("cards.html", answers=answers, hook=hook, chart=found, markdown=view.markdown)

    @routes.post("/patients/<id_>/orders")
    def order(id_: str) -> Redirect | tuple[str, int]:
        found = _chart(ehr, id_)
        try:
            row = drafts.draft(request.form.get("key", ""), request.form.get("text", ""), id_, _USER_ID, ehr.now())
        except InputError as error:
            return render_template("message.html", title="No order was drafted", text=str(error)), 400
        with ehr.lock:
            found.put(row)
        return redirect(url_for("pages.chart", id_=id_, hook="order-select"))

    @routes.post("/patients/<id_>/orders/sign")
    def sign(id_: str) -> Redirect:
        found = _chart(ehr, id_)
        with ehr.lock:
            for name in tuple(found.drafts):
                found.put(found.shelf.rows[name] | {"status": "active"})
            found.drafts.clear()
        return redirect(url_for("pages.chart", id_=id_))

    @routes.post("/patients/<id_>/orders/<type_>/<row_id>/remove")
    def remove(id_: str, type_: str, row_id: str) -> Redirect:
        with ehr.lock:
            _chart(ehr, id_).remove(f"{type_}/{row_id}")
        return redirect(url_for("pages.chart", id_=id_))

    @routes.post("/cards/<uuid>/accept")
    def accept(uuid: str) -> str:
        shown = _card(ehr, uuid)
        wanted = request.form.get("suggestion")
        chosen = next((s for s in shown.card.get("suggestions", ()) if s.get("uuid") == wanted), None)
        if chosen is None:
            abort(404)
        done = ehr.apply(ehr.charts[shown.chart], chosen.get("actions", ()))
        told = client.feedback(shown, {"outcome": "accepted", "acceptedSuggestions": [{"id": wanted}]})
        return render_template("done.html", done=done, told=told, label=chosen["label"])

    @routes.post("/cards/<uuid>/dismiss")
    def dismiss(uuid: str) -> str:
        shown = _card(ehr, uuid)
        told = client.feedback(shown, {"outcome": "overridden", **_reason(shown, request.form)})
        return render_template("done.html", done=[], told=told, label=None)

    @routes.get("/cards/<uuid>/launch")
    def launch(uuid: str) -> Redirect:
        """Opens a card's SMART app: a launch of this chart, with the card's `appContext`."""
        shown = _card(ehr, uuid)
        links = [link for link in shown.card.get("links", ()) if link["type"] == "smart"]
        if not links:
            abort(404)
        chart = ehr.charts[shown.chart]
        framed = request.args.get("framed") == "1"
        opened = Launch(chart.id, current_encounter(chart), links[0].get("appContext"), framed)
        query = urlencode({"iss": ehr.fhir, "launch": ehr.tokens.launch(opened)})
        return redirect(f"{links[0]['url']}?{query}")

    @routes.get("/exchanges")
    def exchanges() -> str:
        return render_template("exchanges.html", exchanges=list(ehr.exchanges))

    @routes.get("/switches")
    def show_switches() -> str:
        return render_template("switches.html")

    @routes.post("/switches")
    def set_switches() -> Redirect:
        with ehr.lock:
            ehr.switches = {name for name in SWITCHES if name in request.form}
        return redirect(url_for("pages.show_switches"))

    @routes.get("/patients/<id_>/resources/<type_>/<row_id>")
    def resource(id_: str, type_: str, row_id: str) -> Response:
        found = _chart(ehr, id_).shelf.read(f"{type_}/{row_id}")
        if found is None:
            abort(404)
        return Response(orjson.dumps(found, option=orjson.OPT_INDENT_2), mimetype="application/json")

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
        "medication-verify": {"medication": held[0] if held else {"resourceType": "MedicationRequest"}},
        "appointment-book": {"appointments": {"resourceType": "Bundle", "type": "collection", "entry": []}},
        "allergyintolerance-create": {
            "allergyIntolerance": next(iter(chart.rows("AllergyIntolerance")), {"resourceType": "AllergyIntolerance"})
        },
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
