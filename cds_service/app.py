"""The application: makes the one clock, the registry, the store and the pipeline, and puts them on the web."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Flask

from cds_service import registry, service_settings
from cds_service.clock import Clock, SystemClock
from cds_service.errors import SettingsError
from cds_service.language import words
from cds_service.observer import NOBODY, Observer
from cds_service.pipeline import Pipeline
from cds_service.registry import Registry
from cds_service.risk.fused import FusedModel
from cds_service.security.trust import Fetch, Trust, fetcher
from cds_service.settings import Settings
from cds_service.stores.assessments import AssessmentStore
from cds_service.stores.database import Database, migrate
from cds_service.stores.feedback import FeedbackStore
from cds_service.stores.jti import TokenStore
from cds_service.stores.standing import require
from cds_service.web import auth, cds_hooks, cors, errors, feedback, health, knowledge, models
from cds_service.web.limits import Rates, Running
from cds_service.web.metrics import Metrics
from cds_service.web.metrics import register as register_metrics
from cds_service.web.peers import Peers
from cds_service.web.warm_up import warm_up
from cds_service.web.watched import WatchedGauges

if TYPE_CHECKING:
    from cds_service.summary.llm import LanguageModel
    from cds_service.telling import Bell
    from cds_service.wording import Writer


def load_registry(settings: Settings) -> Registry:
    """All models and services, shipped and the site's own.

    Raises PluginError naming the file at fault, or SettingsError if a setting names a model that is not loaded.
    """
    loaded = registry.load(extra_models=settings.plugins.models, extra_hooks=settings.plugins.hooks)
    named = {f"signed_off.{model_id}": model_id for model_id in settings.models.signed_off}
    named |= {f"enabled: '{model_id}'": model_id for model_id in settings.models.enabled}
    for where, model_id in named.items():
        if model_id not in loaded.models:
            near = difflib.get_close_matches(model_id, loaded.models, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Loaded: {', '.join(loaded.models)}."
            raise SettingsError(f"settings: models.{where} names no loaded model. {hint}")
    for model in loaded.models.values():
        if isinstance(model, FusedModel) and not model.explained and not settings.models.unexplained:
            raise SettingsError(
                f"settings: {model.id} in {model.folder} cannot be explained exactly. Set models.unexplained = true, "
                "or remove its folder."
            )
    service_settings.check(loaded.services, settings)
    return loaded


def create_pipeline(
    settings: Settings,
    clock: Clock | None = None,
    store: AssessmentStore | None = None,
    loaded: Registry | None = None,
    observer: Observer = NOBODY,
    bell: Bell | None = None,
) -> Pipeline:
    """The pipeline over everything that is installed or set. Raises as `load_registry` does.

    bell: tells the process that words summaries, where a language model is set.
    """
    teller = None
    if settings.llm.url and store is not None:
        from cds_service.stores.wordings import WordingStore
        from cds_service.telling import Teller

        teller = Teller(WordingStore(store.database), settings, observer, bell)
    return Pipeline(loaded or load_registry(settings), settings, clock or SystemClock(), store, observer, teller)


def create_model(settings: Settings, observer: Observer = NOBODY) -> LanguageModel:
    """The language model of the settings. Raises SettingsError."""
    from cds_service.summary.llm import LanguageModel

    insecure = settings.dev.allow_insecure_loopback
    return LanguageModel(settings.llm, allow_insecure_loopback=insecure, observer=observer)


def create_writer(
    pipeline: Pipeline, store: AssessmentStore, settings: Settings, clock: Clock, observer: Observer = NOBODY
) -> Writer:
    """What words summaries beside the hooks. Raises SettingsError."""
    from cds_service.stores.wordings import WordingStore
    from cds_service.wording import Writer

    words = WordingStore(store.database)
    return Writer(pipeline, words, settings, clock, create_model(settings, observer), observer)


def create_store(settings: Settings) -> AssessmentStore:
    """The store at `store.url`, brought to the newest schema. Raises StoreError."""
    url = settings.store_url()
    migrate(url)
    return AssessmentStore(Database(url))


def open_store(settings: Settings) -> AssessmentStore:
    """The store that the service keeps at `store.url`, for a command that reads or deletes: none is made for it.

    Raises InputError where there is none, StoreError where it cannot be reached or another release wrote it.
    """
    url = settings.store_url()
    require(url)
    return AssessmentStore(Database(url))


def create_guard(
    settings: Settings,
    clock: Clock,
    store: AssessmentStore | None = None,
    fetch: Fetch | None = None,
    observer: Observer = NOBODY,
) -> auth.Guard:
    """Who may call, and how much. fetch: for tests. Raises SettingsError naming what is wrong with a client."""
    limits = settings.limits
    return auth.Guard(
        trust=Trust(settings, clock, fetch or fetcher(settings, observer)),
        tokens=TokenStore(store.database) if store is not None else None,
        peers=Peers(settings.security.trusted_proxies, settings.server.public_url),
        rates=Rates(settings.clients, limits.rate_per_s, limits.burst),
        running=Running(limits.concurrent_per_client),
        base_url=settings.base_url(),
        unsigned_loopback=settings.dev.unsigned_loopback,
    )


class _App(Flask):
    """Flask, which asks of every function at every call whether it is a coroutine: none of ours is."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is."""
        return func


def create_app(
    settings: Settings,
    clock: Clock | None = None,
    *,
    pipeline: Pipeline | None = None,
    store: AssessmentStore | None = None,
    metrics: Metrics | None = None,
    bell: Bell | None = None,
) -> Flask:
    """The WSGI application.

    pipeline, store: for tests; made from the settings where they are not given. metrics: those that all workers
    share, where there are several. bell: see `create_pipeline`. The application's extension `curbside` is the pipeline
    and the store.
    """
    clock = clock or SystemClock()
    metrics = metrics or Metrics()
    if pipeline is None:
        store = store or create_store(settings)
        pipeline = create_pipeline(settings, clock, store, observer=metrics, bell=bell)
        warm_up(pipeline, clock.now())
        store.close()  # workers open their own connections
    app = _App("cds_service", static_folder=None, template_folder=None)
    app.extensions["curbside"] = (pipeline, store)
    guard = create_guard(settings, clock, store, observer=metrics)
    errors.register(app, metrics)
    cors.register(app, cors.Policy.of(settings.cors))
    watched = WatchedGauges(store.database).page if store is not None else bytes
    register_metrics(app, metrics, guard.peers, settings.metrics.port, watched)
    auth.register(app, guard)
    app.register_blueprint(cds_hooks.blueprint(pipeline, settings.limits.max_body_bytes))
    answers = FeedbackStore(store.database) if store is not None else None
    app.register_blueprint(feedback.blueprint(pipeline, answers, clock, settings.limits.max_body_bytes))
    app.register_blueprint(health.blueprint(store))
    app.register_blueprint(models.blueprint(pipeline.models, words(settings.cards.language), pipeline.run_by))
    app.register_blueprint(knowledge.blueprint(pipeline.library, words(settings.cards.language)))
    if settings.smart:
        _add_review_app(app, settings, pipeline, store, clock, metrics)
    return app


def _add_review_app(
    app: Flask, settings: Settings, pipeline: Pipeline, store: AssessmentStore | None, clock: Clock, observer: Observer
) -> None:
    """The SMART app; its modules are loaded only where an EHR is registered for it."""
    from cds_service.web.app.blueprint import blueprint
    from cds_service.web.app.pages import install

    if store is None:
        raise SettingsError("settings: [smart.NAME] needs a store. Set store.url.")
    install(app)
    app.register_blueprint(blueprint(settings, pipeline, store, clock, observer))
