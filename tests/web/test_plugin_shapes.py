"""The plugins of the documentation, with the mistakes that are most likely: each is told in a sentence."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cds_service import registry
from cds_service.clock import FixedClock
from cds_service.errors import PluginError
from cds_service.pipeline import Pipeline
from cds_service.settings import Settings
from cds_service.web.warm_up import warm_up

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
DOCS = Path(__file__).parent.parent.parent / "docs"
MODEL, HOOK = (
    re.findall(r"```python\n(.*?)```", (DOCS / name).read_text(), re.S)[0]
    for name in ("adding-a-model.md", "adding-a-hook.md")
)
ALWAYS = ('result[0].value < case.thresholds["look_from"]', "False")  # the made-up patient gets a card


def tried(folder: Path, wrong: str = "", right: str = "") -> None:
    """Loads both files with one change, and tries them as `curbside check` does."""
    texts = {name: text.replace(*ALWAYS) for name, text in (("model.py", MODEL), ("hook.py", HOOK))}
    assert not wrong or any(wrong in text for text in texts.values())
    for name, text in texts.items():
        (folder / name).write_text(text.replace(wrong, right) if wrong else text)
    models = {model.id: model for model in registry.models_in(folder / "model.py")}
    services = {service.id: service for service in registry.services_in(folder / "hook.py", models)}
    warm_up(Pipeline(registry.Registry(models, services, {}), Settings(), FixedClock(NOW)), NOW)


def test_both_work_as_they_stand(tmp_path: Path) -> None:
    """Or the mistakes below would prove nothing."""
    tried(tmp_path)


@pytest.mark.parametrize(
    ("wrong", "right", "sentence"),
    [
        ("return (estimate,)", "return estimate", "model shock-index: it must give a tuple of RiskEstimate"),
        ("return (estimate,)", "return estimate.value", "model shock-index: .* got float"),
        ("output=shock_index(**numbers)", "output=shock_index(**numbers) + 0.1", "the reasons .* add up to"),
        ("numbers = {feature.id:", "numbers = {feature.idd:", "idd.* at model.py:"),
        ("return (finding,)", "return None", "find must return a tuple of findings, got NoneType"),
        ("return (finding,)", "return finding", "find must return a tuple of findings, got RiskFinding"),
        ("Severity.WARNING", '"warning"', "severity must be a Severity, got 'warning'"),
        ('advice=msg("Look', 'advice=("Look', "advice must be words of msg"),
        ('{value} at {time}", value=', '{value} at {time}", valu=', "headline has a place for 'value' and no value"),
        ('case.results["shock-index"]', 'case.results["shock-indx"]', "KeyError: 'shock-indx' at hook.py:21"),
        ('models=("shock-index",)', 'models=("shock-index")', "models must be a tuple; write \\('shock-index',\\)"),
        ('models=("shock-index",)', 'models=("shock-indx",)', "did you mean 'shock-index'"),
        ('"problem", "medication"', '"problems", "medication"', "summary names 'problems'; kinds are"),
        ('"1", 0.7, 2.0', '"1", 1.0, 2.0', "threshold look_from is 0.9 by default, outside the 1 to 2"),
        ('title=msg("Shock watch")', 'title="Shock watch"', "title must be words that can be translated"),
    ],
)  # fmt: skip
def test_a_likely_mistake_is_told_in_a_sentence(tmp_path: Path, wrong: str, right: str, sentence: str) -> None:
    """What gave it, what was expected, and what came."""
    with pytest.raises(PluginError, match=sentence):
        tried(tmp_path, wrong, right)
