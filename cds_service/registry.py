"""Plugins: loads every file of `models/` and `hooks/` by path and collects what they declare.

No import-time registration, no package of that name (a top-level `models` package would collide with others in
site-packages). Whatever is wrong with a plugin stops the start with a sentence that names its file: a service that
runs without a model that the hospital believes in is worse than one that does not start.
"""

from __future__ import annotations

import difflib
import importlib.util
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from cds_service.errors import PluginError
from cds_service.features.feature import Feature
from cds_service.hook import Service
from cds_service.hook_needs import KEYS
from cds_service.language import Message
from cds_service.needs import with_inputs
from cds_service.protocol.hooks import HOOKS
from cds_service.risk.fused import FusedModel
from cds_service.risk.model import PublishedScore, RiskModel
from cds_service.risk.trained import TrainedModel
from cds_service.summary.facts import KINDS

_PACKAGE = Path(__file__).parent
_KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
Declared = TypeVar("Declared")


@dataclass(frozen=True)
class Registry:
    """All models and services of this installation, by id; `origins` tells the file of each."""

    models: Mapping[str, RiskModel]
    services: Mapping[str, Service]
    origins: Mapping[str, Path]

    def run_by(self, model_id: str) -> tuple[str, ...]:
        """The ids of the services that run a model; none for one that only `models predict` and cohorts compute."""
        return tuple(id_ for id_, service in self.services.items() if model_id in service.models)


def shipped(kind: str) -> Path:
    """The folder `models`, `hooks` or `fhir_samples` that came with this installation.

    A wheel has it under `_bundled`; a checkout beside `pyproject.toml`. Raises PluginError if neither is there.
    """
    bundled = _PACKAGE / "_bundled" / kind
    checkout = _PACKAGE.parent / kind
    if bundled.is_dir():
        return bundled
    if checkout.is_dir() and (_PACKAGE.parent / "pyproject.toml").is_file():
        return checkout
    raise PluginError(f"{kind}/ is missing from this installation: install Curbside again")


def load(*, extra_models: Iterable[Path] = (), extra_hooks: Iterable[Path] = ()) -> Registry:
    """Everything in the shipped folders and then in the hospital's. Raises PluginError naming the file at fault."""
    models: dict[str, RiskModel] = {}
    services: dict[str, Service] = {}
    origins: dict[str, Path] = {}
    known: dict[str, Feature] = {}  # of all models so far
    for file in _files((shipped("models"), *extra_models), folders=True):
        for model in models_in(file):
            former = models.get(model.id)
            if former is not None and _recalibrates(model, former):
                del models[model.id], origins[f"model {model.id}"]
            _check_model(file, model, known)
            _claim(file, f"model {model.id}", origins)
            models[model.id] = model
    for file in _files((shipped("hooks"), *extra_hooks), folders=False):
        for service in _services(file):
            _check_service(file, service, models, known)
            _claim(file, f"service {service.id}", origins)
            found = tuple(id_ for id_ in service.may_run if id_ in models)
            services[service.id] = replace(service, models=(*service.models, *found))
    return Registry(models, services, origins)


def models_in(file: Path) -> tuple[RiskModel, ...]:
    """The models that one plugin file declares. Raises PluginError."""
    return tuple(_models(file))


def services_in(file: Path, models: Mapping[str, RiskModel]) -> tuple[Service, ...]:
    """The services that one plugin file declares, which may run those models. Raises PluginError."""
    found = tuple(_services(file))
    for service in found:
        _check_service(file, service, models, {})
    return found


def models_named(model_id: str, roots: Iterable[Path]) -> Iterator[RiskModel]:
    """Every version of a model in folders of plugins whose files name it, whether or not another takes its place.

    Raises PluginError.
    """
    for file in _files(roots, folders=True):
        manifest = file.with_name("manifest.json")
        texts = [file, manifest] if file.name == "model.py" and manifest.is_file() else [file]
        if any(f'"{model_id}"' in text.read_text(encoding="utf-8") for text in texts):
            yield from (model for model in _models(file) if model.id == model_id)


def _recalibrates(model: RiskModel, former: RiskModel) -> bool:
    """Whether a site calibrated a version from the one that is loaded, or both from the same."""
    if not isinstance(model, TrainedModel | FusedModel) or not isinstance(former, TrainedModel | FusedModel):
        return False
    origin = model.manifest.recalibrates
    return origin is not None and origin in {former.version, former.manifest.recalibrates}


def _files(roots: Iterable[Path], *, folders: bool) -> Iterator[Path]:
    """The plugin files of each folder in order of name: `*.py`, and for models `*/model.py`."""
    for root in roots:
        if root.is_file():
            raise PluginError(f"{root}: is a file; name the folder that it is in under [plugins] in the settings")
        if not root.is_dir():
            raise PluginError(f"{root}: no such folder; mend [plugins] in the settings")
        for path in sorted(root.iterdir()):
            if path.name.startswith(("_", ".")):
                continue
            if path.suffix == ".py":
                yield path
            elif folders and path.is_dir():
                if not (path / "model.py").is_file():
                    raise PluginError(f"{path}: a trained model's folder needs a model.py")
                yield path / "model.py"


def _models(file: Path) -> list[PublishedScore | TrainedModel | FusedModel]:
    kinds = PublishedScore | TrainedModel | FusedModel
    found = [value for value in vars(_module(file)).values() if isinstance(value, kinds)]
    return _at_least_one(file, found, "a PublishedScore, a TrainedModel or a FusedModel")


def _services(file: Path) -> list[Service]:
    found = [value for value in vars(_module(file)).values() if isinstance(value, Service)]
    return _at_least_one(file, found, "a Service")


def _at_least_one(file: Path, found: list[Declared], wanted: str) -> list[Declared]:
    if not found:
        raise PluginError(f"{file}: declares nothing; assign {wanted} to a name at the top level of the file")
    return found


def _module(file: Path) -> ModuleType:
    """The module of a plugin file, under a private name so that it can shadow nothing."""
    stem = file.parent.name if file.name == "model.py" else file.stem
    name = f"curbside_plugin_{file.parent.name}_{stem}".replace("-", "_")
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise PluginError(f"{file}: is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except PluginError:
        raise
    except Exception as error:
        raise PluginError(f"{file}: could not be loaded: {type(error).__name__}: {error}") from error
    return module


def _claim(file: Path, what: str, origins: dict[str, Path]) -> None:
    if what in origins:
        raise PluginError(f"{file}: {what} is already declared in {origins[what]}; give one of them another id")
    origins[what] = file


def _check_model(file: Path, model: RiskModel, known: dict[str, Feature]) -> None:
    _check_id(file, model.id)
    if not model.version or not str(model.title) or not model.features:
        raise PluginError(f"{file}: model {model.id} needs a version, a title and at least one feature")
    _check_words(file, f"model {model.id}", title=model.title)
    if not model.citation.url.startswith(("https://", "http://")):
        raise PluginError(f"{file}: model {model.id} needs a citation with an absolute URL")
    known |= _checked_features(file, model.features, known)


def _check_service(file: Path, service: Service, models: Mapping[str, RiskModel], known: Mapping[str, Feature]) -> None:
    _check_id(file, service.id)
    if service.hook not in HOOKS:
        raise PluginError(f"{file}: service {service.id} names hook '{service.hook}'; known are {', '.join(HOOKS)}")
    _check_models(file, service, models)
    if not str(service.title) or not str(service.description):
        raise PluginError(f"{file}: service {service.id} needs a title and a description")
    _check_words(file, f"service {service.id}", title=service.title, description=service.description)
    if others := [kind for kind in service.summary if kind not in KINDS]:
        raise PluginError(f"{file}: service {service.id}: summary names '{others[0]}'; kinds are {', '.join(KINDS)}")
    for name, one in service.thresholds.items():
        if not one.least <= one.default <= one.most:
            raise PluginError(
                f"{file}: service {service.id}: threshold {name} is {one.default:g} by default, outside the "
                f"{one.least:g} to {one.most:g} that a site may set"
            )
    if unknown := set(service.optional) - KEYS:
        raise PluginError(
            f"{file}: service {service.id} calls '{min(unknown)}' optional; prefetch keys are {', '.join(sorted(KEYS))}"
        )
    _checked_features(file, service.features, known)


def _check_models(file: Path, service: Service, models: Mapping[str, RiskModel]) -> None:
    """Raises PluginError for a model that is not loaded, with the id that is nearest to it."""
    if isinstance(service.models, str):
        raise PluginError(f"{file}: service {service.id}: models must be a tuple; write ('{service.models}',)")
    for model_id in service.models:
        if model_id not in models:
            near = difflib.get_close_matches(model_id, models, n=1)
            hint = f"did you mean '{near[0]}'?" if near else "`curbside models` lists those that are"
            raise PluginError(f"{file}: service {service.id} names model '{model_id}', which is not loaded; {hint}")


def _check_words(file: Path, what: str, **said: object) -> None:
    """Raises PluginError for words that could not be translated."""
    for name, words in said.items():
        if not isinstance(words, Message):
            raise PluginError(f'{file}: {what}: its {name} must be words that can be translated; write msg("...")')


def _check_id(file: Path, id_: str) -> None:
    if not _KEBAB.fullmatch(id_):
        raise PluginError(f"{file}: id '{id_}' must be kebab-case, such as 'kidney-failure-2y'")


def _checked_features(file: Path, features: Iterable[Feature], known: Mapping[str, Feature]) -> dict[str, Feature]:
    """The features and all that they are computed from, by id. Raises PluginError if one differs from a known one."""
    found = {feature.id: feature for feature in with_inputs(features)}
    for id_, feature in found.items():
        if known.get(id_, feature) != feature:
            raise PluginError(
                f"{file}: feature '{id_}' differs from another model's feature of that id; "
                "give the variant its own id, e.g. with catalogue.within(...)"
            )
    return found
