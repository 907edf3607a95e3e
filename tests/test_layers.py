"""The architecture's arrows: an import only points left, sockets and SQL stay where they belong."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "cds_service"
LAYERS = (
    (
        "errors",
        "settings",
        "settings_file",
        "compiled",
        "kept_classes",
        "hidden",
        "clock",
        "language",
        "markdown",
        "observer",
        "breaker",
        "timed",
        "addresses",
        "exchange",
        "outbound",
    ),
    ("protocol", "fhir"),
    ("features",),
    ("explain",),
    ("risk",),
    ("knowledge",),
    ("findings", "needs", "hook_needs", "chart_needs", "trend", "what_if", "local_codes", "source_attributes"),
    ("summary",),
    ("documents",),
    ("dialogue",),
    ("hook", "suppression", "recording", "orders", "outlook"),
    (
        "evidence_path",
        "given_up",
        "not_calculated",
        "blood_pressure",
        "fibrillation",
        "kidneys",
        "liver",
        "drug_findings",
        "dosing",
        "glycaemia",
    ),
    ("cards", "card_detail", "card_sources", "prospects"),
    ("api",),
    ("registry", "stores", "security", "fetch", "service_settings", "signed", "silenced"),
    ("showing", "keeping", "telling", "desks", "ledger", "pipeline"),
    ("web", "answers", "against", "replay", "replaying", "account", "monitoring", "cohort", "wording", "exam"),
    ("app",),
    ("http_api",),
    ("cli",),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}
APART = {"training", "sandbox"}
FILES = sorted(p for p in PACKAGE.rglob("*.py") if "_bundled" not in p.parts and p != PACKAGE / "__init__.py")
PLUGINS = sorted([*(ROOT / "models").rglob("*.py"), *(ROOT / "hooks").glob("*.py")])


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def walked(path: Path) -> list[ast.AST]:
    return list(ast.walk(parsed(path)))


@cache
def imports(path: Path, *, at_start_only: bool = False) -> set[str]:
    """The dotted names that a file imports."""
    nodes = parsed(path).body if at_start_only else walked(path)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def parts_imported(path: Path) -> set[str]:
    return {
        name.split(".")[1]
        for name in imports(path)
        if name.startswith("cds_service.") and (name.split(".")[1] in RANK or name.split(".")[1] in APART)
    }


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_an_import_only_points_to_lower_layers(path: Path) -> None:
    """No module knows of what is built upon it."""
    part = part_of(path)
    assert part in RANK or part in APART, f"{part} has no place in the layers; give it one"
    if part in APART:
        return
    for other in parts_imported(path) - {part}:
        if other in APART:
            assert part == "cli", f"{path.name} serves and must not import {other}"
        else:
            assert RANK[other] <= RANK[part], f"{part} imports {other}, which is above it"


@pytest.mark.parametrize("path", PLUGINS, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_plugin_imports_nothing_of_curbside_but_the_api(path: Path) -> None:
    """A hospital's plugin keeps working when the inside changes."""
    allowed = {"cds_service.api", "cds_service.training"} if path.name == "train.py" else {"cds_service.api"}
    ours = {n for n in imports(path) if n.startswith("cds_service")}
    assert all(any(n == a or n.startswith(a + ".") for a in allowed) for n in ours), ours


@pytest.mark.parametrize(
    ("library", "places"),
    [
        ("flask", {"web", "app", "sandbox"}),
        ("sqlalchemy", {"stores", "knowledge"}),
        ("sqlite3", {"stores", "knowledge", "cohort"}),
        ("requests", {"exchange", "outbound", "timed", "sandbox", "cli"}),
        ("rich", {"cli"}),
        ("click", {"cli"}),
        ("pyarrow", {"cohort"}),
        ("pyspark", {"cohort"}),
        ("fpdf", {"cohort"}),
        ("matplotlib", {"training", "cohort"}),
        ("sklearn", {"training"}),
        ("pandas", {"training"}),
        ("shap", {"training"}),
        ("optuna", {"training"}),
        ("pypdf", {"documents"}),
        ("docx", {"documents"}),
        ("striprtf", {"documents"}),
        ("bs4", {"documents"}),
        ("defusedxml", {"documents"}),
        ("pydicom", {"documents"}),
        ("PIL", {"sandbox", "documents"}),
        ("pickle", set()),
        ("joblib", set()),
    ],
)
def test_a_library_stays_in_its_part(library: str, places: set[str]) -> None:
    """Flask, SQL, sockets and training libraries each have one home."""
    users = {part_of(p) for p in FILES if any(n.split(".")[0] == library for n in imports(p))}
    assert users <= places


def test_nothing_asks_the_machine_for_the_time_but_the_clock() -> None:
    """Time is an argument, so that any moment can be replayed."""
    for path in FILES:
        if part_of(path) in {"clock", "sandbox", "training"}:
            continue
        for node in walked(path):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                assert ast.unparse(node.func) not in {"datetime.now", "datetime.utcnow", "date.today", "time.time"}, (
                    path
                )


def test_no_two_test_files_have_the_same_name() -> None:
    """Tests are no packages: pytest would import one file in place of the other."""
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(set(names)) == sorted(names)
