"""Pages of the app: templates in the reader's language, and the headers that keep them inside the EHR's frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, render_template, request

from cds_service.errors import CurbsideError, SettingsError
from cds_service.language import LANGUAGES, Message, Words, msg, words
from cds_service.settings import Settings, SmartEhr
from cds_service.web.app.source_page import kinds

TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"
_NOW = "\x1e"  # what is shown has no control characters


class Pages:
    """What all pages share. Raises SettingsError where the app's own address is not known."""

    def __init__(self, settings: Settings) -> None:
        launch = settings.app.launch_url
        split = urlsplit(launch)
        if not launch.endswith("/app/launch") or not split.hostname:
            raise SettingsError(
                "settings: app.launch_url must be the review app's own address, https://HOST/app/launch, where an EHR "
                "is registered under [smart.NAME]."
            )
        self.callback = f"{launch.removesuffix('launch')}callback"
        self._language, self._units = settings.cards.language, settings.cards.units
        self._ehrs = settings.smart
        self._idle_s = int(60 * settings.app.idle_minutes)
        frames = sorted({origin for ehr in settings.smart.values() for origin in ehr.frame_ancestors})
        self._policy = _policy(frames)

    def language(self) -> str:
        """The reader's language: asked for in the URL, else the review's, else the site's."""
        asked = request.args.get("lang") or g.get("app_language") or self._language
        return asked if asked in LANGUAGES else self._language

    def words(self) -> Words:
        """Renders messages for the reader."""
        return words(self.language(), self._units)

    def render(self, name: str, **values: Any) -> str:
        """A page."""
        return render_template(f"app/{name}", **self._shared(values.get("review")), **values)

    def stream(self, name: str, **values: Any) -> Iterator[str]:
        """A page in pieces: each is ready where the template has `{{ now }}`."""
        held: list[str] = []
        context = {**self._shared(values.get("review")), **values, "now": _NOW}
        current_app.update_template_context(context)
        for text in current_app.jinja_env.get_template(f"app/{name}").generate(context):
            first, *more = text.split(_NOW)
            held.append(first)
            for following in more:
                yield "".join(held)
                held = [following]
        yield "".join(held)

    def _shared(self, review: Any) -> dict[str, Any]:
        """What every page knows. review: the open one, or None."""
        say = self.words()

        def translate(text: str, **places: object) -> str:
            return say(msg(text, **places))

        return {
            "_": translate,
            "say": say,
            "kinds": kinds,
            "governs": review is not None and governs(self._ehrs[review.registration], review.grant.user),
            "language": "zh-Hans" if say.language == "zh_Hans" else "en",
            "languages": LANGUAGES,
            "idle_s": self._idle_s,
        }

    def refusal(self, error: CurbsideError, *, own_window: bool = False) -> tuple[str, int]:
        """A page with a sentence and a way on. own_window: for what a window outside the EHR's frame may mend."""
        status, told = error.http_status, error.args[0] if error.args else ""
        reason = self.words()(told) if isinstance(told, Message) else str(error)
        return self.render("refusal.html", reason=reason, status=status, own_window=own_window), status

    def head(self, response: Response) -> Response:
        """The headers of every answer of the app."""
        response.headers["Content-Security-Policy"] = self._policy
        response.headers["Cache-Control"] = "no-store"
        return response


def governs(ehr: SmartEhr, user: str) -> bool:
    """True if a user is one of those named, as a whole URL or, one of the EHR's own server, as `Practitioner/42`."""
    relative = user.removeprefix(f"{ehr.issuer.rstrip('/')}/")
    return user in ehr.governance or relative in ehr.governance


def install(app: Flask) -> None:
    """Lets an application find the app's templates."""
    from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader

    own = PrefixLoader({"app": FileSystemLoader(TEMPLATES)})
    app.jinja_loader = own if app.jinja_loader is None else ChoiceLoader([app.jinja_loader, own])


def _policy(frames: Iterable[str]) -> str:
    ancestors = " ".join(frames) or "'none'"
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        f"form-action 'self'; base-uri 'none'; frame-ancestors {ancestors}"
    )
