"""Source attributes of every model, 45 CFR 170.315(b)(11)(iv): 31 of a predictive model, 13 of an evidence-based score.

Those of a trained model are written by people into its folder (`risk.attributes`). Those of a published score follow
from what it declares: its citation, its version, and the features that it asks for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from cds_service.features.feature import Feature
from cds_service.language import Message, msg
from cds_service.needs import with_inputs
from cds_service.risk.attributes import ATTRIBUTES, read
from cds_service.risk.fused import FusedModel
from cds_service.risk.model import PublishedScore, RiskModel
from cds_service.risk.published import listed
from cds_service.risk.trained import TrainedModel

EVIDENCE_BASED = (  # (iv)(A)(1) to (13)
    "citation", "developer", "funding", "release_dates", "use_of_race", "use_of_ethnicity", "use_of_language",
    "use_of_sexual_orientation", "use_of_gender_identity", "use_of_sex", "use_of_date_of_birth",
    "use_of_social_determinants", "use_of_health_status_assessments",
)  # fmt: skip
PREDICTIVE = ATTRIBUTES  # (iv)(B)
USES = {  # attribute -> ids of the features that make it true
    "use_of_race": {"race"},
    "use_of_ethnicity": {"ethnicity"},
    "use_of_language": {"language"},
    "use_of_sexual_orientation": {"sexual_orientation"},
    "use_of_gender_identity": {"gender_identity"},
    "use_of_sex": {"sex"},
    "use_of_date_of_birth": {"age"},
    "use_of_social_determinants": {"sdi"},
    # What USCDI v3 puts there: functional, mental, pregnancy and smoking status, and answers about habits.
    "use_of_health_status_assessments": {
        "smoking", "pregnancy", "consciousness", "gcs", "gcs_lowest", "reduced_mobility", "physically_active",
        "vegetables_daily",
    },
}  # fmt: skip
_YEAR = re.compile(r"(?<![:\d-])(?:19|20)\d\d\b")


def of(model: RiskModel, say: Callable[[Message], str]) -> Mapping[str, str]:
    """Attribute -> text, in the order of the regulation; empty for a trained model whose folder holds none.

    say: a message in the site's language. Raises PluginError naming the file if attributes are missing or empty.
    """
    if isinstance(model, TrainedModel | FusedModel):
        return _of_version(read(model.folder) or {}, model.manifest.recalibrates)
    if isinstance(model, PublishedScore):
        return {name: say(text) for name, text in evidence_based(model).items()}
    return {}


def licence(model: RiskModel) -> str:
    """The licence of the data that a trained model learnt from, with the notice that it asks for; else empty."""
    return model.manifest.population.licence if isinstance(model, TrainedModel | FusedModel) else ""


def _of_version(found: Mapping[str, str], before: str | None) -> Mapping[str, str]:
    """The attributes; those of a version that a site calibrated say whose figures they hold.

    before: the version that was calibrated anew, or None.
    """
    if before is None or not found:
        return found
    named = ("validity_in_test_data", "fairness_in_test_data")
    told = {name: f"Of version {before}, before it was calibrated here: {found[name]}" for name in named}
    local = "Calibrated on the site's own outcomes: before and after stand in recalibration.md in the model's folder."
    return {**found, **told, "local_validity": local}


def evidence_based(score: PublishedScore) -> dict[str, Message]:
    """The 13 attributes of a published score, from its declaration."""
    years = " ".join(dict.fromkeys(_YEAR.findall(score.citation.text)))
    asked = tuple(with_inputs(score.features))
    return {
        "citation": msg("{text}. {url}", text=score.citation.text, url=score.citation.url),
        "developer": msg(
            "Equation or points: the authors of the source. Put into software by the Curbside project or, for a score "
            "of the site's own, by the site."
        ),
        "funding": msg("None for putting it into software. The source tells who paid for the study."),
        "release_dates": msg(
            "Source: {years}. This implementation: version {version}; the changelog holds its revisions.",
            years=years,
            version=score.version,
        )
        if years
        else msg(
            "Source: see the citation. This implementation: version {version}; the changelog holds its revisions.",
            version=score.version,
        ),
        **{name: _use(asked, ids) for name, ids in USES.items()},
    }


def _use(asked: tuple[Feature, ...], ids: set[str]) -> Message:
    used = [feature.label for feature in asked if feature.id in ids]
    return msg("Used: {features}.", features=listed(used)) if used else msg("Not used.")
