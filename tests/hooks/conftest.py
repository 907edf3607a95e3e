"""The services, run on real models."""

import pytest
from charts import MODELS, ROOT, Answer, case_of, plugin

from cds_service.hook import Service
from cds_service.language import ENGLISH


@pytest.fixture(scope="session")
def services():
    found = {}
    for path in sorted((ROOT / "hooks").glob("*.py")):
        declared = [one for one in vars(plugin(path)).values() if isinstance(one, Service)]
        found |= {service.id: service for service in declared}
    return found


@pytest.fixture
def ask(services):
    """ask("cardiovascular-risk", chart) -> Answer"""

    def run(
        service_id,
        chart,
        *,
        encounter_class=None,
        encounter_status="in-progress",
        models=MODELS,
        enabled=(),
        beside=(),
        say=ENGLISH,
        **members,
    ):
        service = services[service_id]
        context = chart.context(service.hook, encounter_class, encounter_status, **members)
        return Answer(service, context, models, enabled, beside, say)

    return run


@pytest.fixture(scope="session")
def findings(services):
    """findings("drug-safety", chart): what a service finds, without its cards, which cost three times as much."""

    def run(service_id, chart):
        service = services[service_id]
        return service.find(case_of(service, chart.context(service.hook), MODELS))

    return run
