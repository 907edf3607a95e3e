"""What an installation is ready to answer: each service with its models, features, prefetch and thresholds."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cds_service import hook_needs, local_codes, service_settings, signed
from cds_service.errors import UnknownService
from cds_service.features.asked import Asked
from cds_service.fhir.code_map import CodeMap
from cds_service.findings import Finding, RiskFinding
from cds_service.hook import Service
from cds_service.keeping import versions
from cds_service.knowledge import library
from cds_service.knowledge.library import Library
from cds_service.language import Message, words
from cds_service.needs import Need, data_needs, fed_by, with_inputs
from cds_service.protocol.hooks import HOOKS
from cds_service.registry import Registry
from cds_service.risk.model import RiskModel, is_on
from cds_service.settings import Settings
from cds_service.showing import Showing
from cds_service.silenced import Silenced
from cds_service.stores.requests import Basis
from cds_service.summary.general import SHOWN_AT


@dataclass(frozen=True)
class Desk:
    """A service made ready: its models, all its features with their inputs, its prefetch keys and its thresholds.

    fed: prefetch key -> ids of the features that read its Observations. beside: see Case.
    """

    service: Service
    models: tuple[RiskModel, ...]
    features: Asked
    needs: Mapping[str, Need]
    thresholds: Mapping[str, float]
    showing: Showing
    fed: Mapping[str, frozenset[str]]
    library: Library | None = None
    beside: frozenset[str] = frozenset()


class Desks:
    """The desks of all services, what discovery says of them, and which of their models may speak here."""

    def __init__(self, registry: Registry, settings: Settings, silenced: Silenced | None) -> None:
        """silenced: what monitoring has silenced; None without a store."""
        self.models = registry.models
        self.run_by = registry.run_by
        self.code_map: CodeMap = local_codes.load(settings.codes.map)
        asked = any(service.knowledge for service in registry.services.values())
        self.library: Library | None = library.opened(settings) if asked else None
        self._registry = registry
        self._settings = settings
        self._silenced = silenced
        self._words = words(settings.cards.language, settings.cards.units)
        self._versions: dict[str, dict[str, str]] = {}
        self._signed: dict[str, bool] = {}
        self._desks = {id_: self._desk(service) for id_, service in registry.services.items()}

    def _desk(self, service: Service) -> Desk:
        named = (self._registry.models[id_] for id_ in service.models)
        models = tuple(model for model in named if is_on(model, self._settings.models.enabled))
        features = Asked(with_inputs([*(f for m in models for f in m.features), *service.features]))
        return Desk(
            service,
            models,
            features,
            self._needs(service, features),
            service_settings.thresholds(service, self._settings),
            Showing(service, self._settings, self._words, self._beside(service)),
            fed_by(features),
            self.library if service.knowledge else None,
            service_settings.beside(service, self._registry.services.values(), self._settings),
        )

    def _beside(self, service: Service) -> Library | None:
        """The graph for general knowledge beside a summary: where a line of it is shown, or a model may quote it."""
        shown = service.knowledge and service.hook in SHOWN_AT
        return self.library if shown or self._settings.llm.url else None

    def _needs(self, service: Service, features: Asked) -> dict[str, Need]:
        """What the service asks for: for its models, its own rules and its summary."""
        told = hook_needs.of(service.hook)
        return data_needs(features, service.hook, service.optional, self.code_map, service.lists, told)

    def of(self, service_id: str) -> Desk:
        """The service of that id, made ready. Raises UnknownService with the nearest id."""
        desk = self._desks.get(service_id)
        if desk is None:
            near = difflib.get_close_matches(service_id, self._desks, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(self._desks)}"
            raise UnknownService(f"there is no CDS Service with the id that was called{hint}")
        return desk

    def discovery(self) -> dict[str, object]:
        """The body of `GET /cds-services`."""
        return {"services": [self._describe(desk) for desk in self._desks.values()]}

    def _describe(self, desk: Desk) -> dict[str, object]:
        service = desk.service
        entry: dict[str, object] = {
            "hook": service.hook,
            "id": service.id,
            "title": self._words(service.title),
            "description": self._words(service.description),
            "prefetch": {key: need.template for key, need in desk.needs.items()},
        }
        if service.usage_requirements is not None:
            entry["usageRequirements"] = self._words(service.usage_requirements)
        if self._settings.discovery.version != "2.0":
            entry |= {"version": f"{self._settings.discovery.version}.0", "hookVersion": HOOKS[service.hook].version}
        return entry

    def versions(self, desk: Desk) -> dict[str, str]:
        """What shapes the answers of a service: versions, and digests of code and settings."""
        found = self._versions.get(desk.service.id)
        if found is None:
            origins = self._registry.origins
            names = [f"service {desk.service.id}", *(f"model {m.id}" for m in desk.models)]
            files = [origins[name] for name in names if name in origins]
            models = {m.id: m.version for m in desk.models}
            found = versions(self._settings, models, files, self.code_map.digest)
            if desk.library is not None:
                found["knowledge"] = desk.library.graph.digest
            self._versions[desk.service.id] = found
        return found

    def silent(self, desk: Desk) -> tuple[str, ...]:
        """The models of a service that monitoring has silenced."""
        found = self._silenced.now() if self._silenced is not None else frozenset()
        return tuple(m.id for m in desk.models if (m.id, m.version) in found) if found else ()

    def may_show(self, finding: Finding, basis: Basis, now: datetime) -> bool:
        """False for a model that monitoring silenced, or that is trained and its exact version not signed off here."""
        if isinstance(finding, RiskFinding) and finding.model.id in basis.silenced:
            return False
        if not isinstance(finding, RiskFinding) or not finding.model.trained:
            return True
        return self.validated(finding.model, now) or self._settings.models.show_unvalidated

    def validated(self, model: RiskModel, now: datetime) -> bool:
        """True if a model may speak at this site: it is published, or its exact version was signed off as it runs, and
        the sign-off has not lapsed."""
        found = self._signed.get(model.id)
        if found is None:
            services = self._registry.services.values()
            found = signed.state(model, services, self._settings, self.code_map.digest) in ("published", "valid")
            self._signed[model.id] = found
        return found and not (model.trained and signed.has_lapsed(model.id, self._settings, now.date()))

    def allowed(self, now: datetime) -> list[tuple[RiskModel, Message, tuple[str, ...]]]:
        """Every trained model, whether it may speak here and on whose word, and the services that run it."""
        services, digest, today = self._registry.services.values(), self.code_map.digest, now.date()
        return [
            (model, signed.told(model, services, self._settings, digest, today), self._registry.run_by(model.id))
            for model in self._registry.models.values()
            if model.trained
        ]
