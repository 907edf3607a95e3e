"""Models that the documentation did not foresee: each is imported with its own numbers, or refused with what to do."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("skops", reason="needs the train extra")

import skops.io
import xgboost
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from cds_service.errors import BadRequest, PluginError
from cds_service.explain.forest import Forest
from cds_service.features.extract import extract
from cds_service.needs import with_inputs
from cds_service.risk import declared
from cds_service.risk.fused import FusedModel
from cds_service.training import foreign, grown, importing, witness
from tests.features import built
from tests.training.test_importing import IDS, PATIENT, change, declaration, rows, with_gaps, write_samples

Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A declaration that requires all inputs, and sample rows without gaps."""
    (tmp_path / "declaration.toml").write_text(declaration().replace("minimum = 3", "minimum = 4"))
    write_samples(tmp_path, rows()[0][:110])
    return tmp_path


def grow(folder: Path, name: str = "model.json", rounds: int = 6, **given: Any) -> xgboost.Booster:
    x, y = rows()
    told = {"objective": "binary:logistic", "max_depth": 2, "nthread": 1, "seed": 1, "verbosity": 0} | given
    booster = xgboost.train(told, xgboost.DMatrix(x, y, nthread=1), rounds)
    booster.save_model(folder / name)
    return booster


def bring_in(folder: Path, *, unexplained: bool = False) -> FusedModel:
    out = folder / "models" / "hospital-death"
    importing.bring_in(folder / "declaration.toml", folder / "samples.csv", out, unexplained=unexplained)
    return declared.load(out)


def refused(folder: Path, words: str, *, unexplained: bool = True) -> None:
    with pytest.raises(PluginError, match=words):
        bring_in(folder, unexplained=unexplained)
    assert not (folder / "models").exists()


def probability(model: FusedModel) -> tuple[float, np.ndarray]:
    """The estimate for a record, explained, and the row that it was made of."""
    values = extract(built.record(*PATIENT), with_inputs(model.features))
    (estimate,) = model.estimate(values)
    assert estimate.explanation.residual() <= 5e-5
    assert len(estimate.explanation.contributions) == 4
    return estimate.value, np.array([[values.number(feature) for feature in model.inputs]])


@pytest.mark.parametrize(
    "given",
    [
        {"base_score": 0.2},
        {"booster": "dart", "rate_drop": 0.5, "one_drop": 1},
        {"booster": "gblinear"},
        {"objective": "reg:logistic"},
        {"num_parallel_tree": 3, "subsample": 0.5},
    ],
    ids=["base score", "dart", "gblinear", "reg:logistic", "forest"],
)
def test_kinds_of_xgboost_are_explained_exactly(folder: Path, given: dict[str, Any]) -> None:
    """The estimate of a record is what XGBoost says of the same row."""
    booster = grow(folder, **given)
    value, row = probability(bring_in(folder))
    assert value == pytest.approx(float(booster.predict(xgboost.DMatrix(row, nthread=1))[0]), abs=1e-6)


def test_xgboost_trained_on_named_columns_is_imported(folder: Path) -> None:
    """As every table of pandas leaves them; names with blanks are given by `column`."""
    x, y = rows()
    named = xgboost.DMatrix(x, y, nthread=1, feature_names=["Age (years)", "CREA", "ALB g/dL", "PCT"])
    xgboost.train({"objective": "binary:logistic", "nthread": 1}, named, 3).save_model(folder / "model.json")
    refused(folder, "in the model's order")
    for id_, name in zip(IDS, ["Age (years)", "CREA", "ALB g/dL", "PCT"], strict=True):
        change(folder, f'id = "{id_}"', f'column = "{name}"\nid = "{id_}"')
    assert 0 < probability(bring_in(folder))[0] < 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"objective": "survival:cox"}, r"survival:cox.*binary:logistic"),
        ({"objective": "multi:softprob", "num_class": 2}, r"multi:softprob.*binary:logistic"),
        ({"objective": "binary:logitraw"}, "binary:logitraw"),
    ],
    ids=["survival", "classes", "raw"],
)
def test_other_objectives_of_xgboost_are_refused_by_name(folder: Path, given: dict[str, Any], words: str) -> None:
    """With the one to train with."""
    grow(folder, **given)
    refused(folder, words)


def test_an_early_stopped_model_whose_file_does_not_say_which_rounds_count_is_refused(folder: Path) -> None:
    """The best ones, cut out, are taken."""
    x, y = rows()
    model = xgboost.XGBClassifier(
        n_estimators=60, learning_rate=0.9, early_stopping_rounds=4, eval_metric="logloss", n_jobs=1
    ).fit(x[:150], y[:150], eval_set=[(x[150:], y[150:])], verbose=False)
    model.save_model(folder / "model.json")
    refused(folder, rf"stopped early.*booster\[:{model.best_iteration + 1}\]")
    model.get_booster()[: model.best_iteration + 1].save_model(folder / "model.json")
    value, row = probability(bring_in(folder))
    assert value == pytest.approx(float(model.predict_proba(row)[0, 1]), abs=1e-6)


def test_categories_and_several_outcomes_of_xgboost_are_refused(folder: Path) -> None:
    """Numbers of categories exist in the training program only; two outcomes have no one risk."""
    pandas = pytest.importorskip("pandas")
    x, y = rows()
    table = pandas.DataFrame(x, columns=list(IDS))
    table["albumin"] = pandas.Categorical(np.where(table["albumin"] > 3.5, "high", "low"))
    model = xgboost.XGBClassifier(n_estimators=3, enable_categorical=True, n_jobs=1)
    model.fit(table, y).save_model(folder / "model.json")
    refused(folder, "albumin is categorical.*column of 0 and 1")
    xgboost.XGBClassifier(n_estimators=2, n_jobs=1).fit(x, np.column_stack([y, 1 - y])).save_model(
        folder / "model.json"
    )
    refused(folder, "several outcomes")


HOSTILE: dict[str, Change] = {
    "a child beyond the tree": lambda tree: tree["left_children"].__setitem__(0, 5000),
    "a way that never ends": lambda tree: tree["left_children"].__setitem__(0, 0),
    "a column beyond all": lambda tree: tree["split_indices"].__setitem__(0, 77),
    "lists of other lengths": lambda tree: tree["left_children"].pop(),
    "words for numbers": lambda tree: tree.update(left_children="abc"),
    "no training rows": lambda tree: tree["sum_hessian"].__setitem__(0, 0.0),
}


@pytest.mark.parametrize("fault", HOSTILE)
def test_a_hostile_file_of_xgboost_is_refused_before_xgboost_reads_it(folder: Path, fault: str) -> None:
    """Its reader would end the program, or compute from memory that is none of the model's."""
    document = json.loads(grow(folder).save_raw("json"))
    HOSTILE[fault](document["learner"]["gradient_booster"]["model"]["trees"][0])
    (folder / "model.json").write_text(json.dumps(document))
    refused(folder, r"model\.json: (its trees lead nowhere|XGBoost cannot read it).*save_model")


def test_files_that_are_cut_off_empty_or_deep_are_refused(folder: Path) -> None:
    """In a sentence, and the program goes on."""
    whole = bytes(grow(folder).save_raw("json"))
    for content in (whole[: len(whole) // 2], b"", b"{}", b"[" * 200_000, b"{L\x00", b"\x80\x04K\x01."):
        (folder / "model.json").write_bytes(content)
        refused(folder, "XGBoost cannot read it")


def test_numbers_in_place_of_gaps_and_models_without_gaps_are_found_out(folder: Path) -> None:
    """XGBoost that met no gap sends every gap one way: what it would say of one was never learnt."""
    x, y = with_gaps(rows())
    x = np.where(np.isnan(x), -999, x)
    told = {"objective": "binary:logistic", "nthread": 1}
    xgboost.train(told, xgboost.DMatrix(x, y, nthread=1), 6).save_model(folder / "model.json")
    change(folder, "minimum = 4", "minimum = 3")
    write_samples(folder, with_gaps(rows())[0][:60])
    refused(folder, "-999.*require all 4 features, or train it with gaps left empty")


def test_a_gap_that_no_sample_row_has_is_not_allowed(folder: Path) -> None:
    """Nobody could tell that the model has learnt what to do there."""
    x, y = rows()
    skops.io.dump(HistGradientBoostingClassifier(max_iter=3).fit(x.astype(np.float64), y), folder / "model.skops")
    change(folder, "model.json", "model.skops")
    change(folder, "minimum = 4", "minimum = 3")
    refused(folder, "no sample row lacks it")


def test_training_in_another_unit_shows_in_splits_and_in_a_scaler(folder: Path) -> None:
    """Sample rows in the declared unit agree with anything; what the model was trained on does not."""
    x, y = rows()
    other = x * np.array([1, 88.4, 1, 1])
    told = {"objective": "binary:logistic", "nthread": 1}
    xgboost.train(told, xgboost.DMatrix(other, y, nthread=1), 4).save_model(folder / "model.json")
    refused(folder, "parts creatinine at.*another unit")
    skops.io.dump(make_pipeline(StandardScaler(), LogisticRegression()).fit(other, y), folder / "model.skops")
    change(folder, "model.json", "model.skops")
    refused(folder, "average of creatinine.*another unit")


def test_a_model_that_fills_gaps_itself_needs_all_inputs(folder: Path) -> None:
    """An imputed value is a guess that nobody sees; with all inputs there the imputer does nothing."""
    x, y = with_gaps(rows())
    filling = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()).fit(x, y)
    skops.io.dump(filling, folder / "model.skops")
    change(folder, "model.json", "model.skops")
    change(folder, "minimum = 4", "minimum = 3")
    write_samples(folder, x[:20])
    refused(folder, "SimpleImputer.*require all 4 features")
    change(folder, "minimum = 3", "minimum = 4")
    write_samples(folder, x[np.isnan(x).any(axis=1)][:20])
    with pytest.raises(BadRequest, match="has 0 rows without a gap"):
        bring_in(folder)
    write_samples(folder, x[:60])
    value, row = probability(bring_in(folder))
    assert value == pytest.approx(filling.predict_proba(row)[0, 1], abs=1e-7)


@pytest.mark.parametrize("imputer", [SimpleImputer(add_indicator=True), SimpleImputer(missing_values=-9.0)])
def test_an_imputer_that_changes_what_is_there_is_no_idle_step(folder: Path, imputer: SimpleImputer) -> None:
    """One that adds columns, or takes a number for a gap, does something where nothing is missing too."""
    x, y = with_gaps(rows())
    x = x if imputer.add_indicator else np.where(np.isnan(x), -9.0, x)
    skops.io.dump(make_pipeline(imputer, LogisticRegression(max_iter=500)).fit(x, y), folder / "model.skops")
    change(folder, "model.json", "model.skops")
    refused(folder, "cannot be explained exactly", unexplained=False)


def test_an_exponential_loss_behind_a_scaler_counts_in_probabilities(folder: Path) -> None:
    """Its decision value is half the log-odds, and is not taken for them."""
    x, y = rows()
    model = make_pipeline(StandardScaler(), GradientBoostingClassifier(n_estimators=4, loss="exponential")).fit(x, y)
    skops.io.dump(model, folder / "model.skops")
    margins = foreign.opened(folder / "model.skops").margins(x[:5].astype(np.float64))
    assert 1 / (1 + np.exp(-margins)) == pytest.approx(model.predict_proba(x[:5])[:, 1], abs=1e-9)


def test_columns_by_name_and_types_that_are_not_trusted_say_what_to_do(folder: Path) -> None:
    """A matrix has no names; XGBoost has a format of its own; categories need columns of their own."""
    pandas = pytest.importorskip("pandas")
    x, y = rows()
    table = pandas.DataFrame(x, columns=list(IDS))
    change(folder, "model.json", "model.skops")
    by_name = ColumnTransformer([("scaled", StandardScaler(), ["age"])], remainder="passthrough")
    skops.io.dump(make_pipeline(by_name, LogisticRegression(max_iter=300)).fit(table, y), folder / "model.skops")
    refused(folder, "name them by position")
    skops.io.dump(xgboost.XGBClassifier(n_estimators=2, n_jobs=1).fit(x, y), folder / "model.skops")
    refused(folder, r"not trusted.*save_model\(\)")
    coded = np.column_stack([x[:, :2], x[:, 2] > 3.5, x[:, 3]]).astype(np.float64)
    skops.io.dump(HistGradientBoostingClassifier(max_iter=2, categorical_features=[2]).fit(coded, y),
                  folder / "model.skops")  # fmt: skip
    refused(folder, "not trusted.*without categorical columns")


def test_a_value_on_a_split_of_histogram_trees_goes_as_it_went_in_training() -> None:
    """They compare in float64: 4.1 on a split at 4.1 goes left, though 4.1 in single precision lies above it."""
    split = 4.1
    assert float(np.float32(split)) < split or float(np.float32(4.6)) < 4.6  # either way of rounding occurs
    kinds = [("value", "f8"), ("count", "u4"), ("feature_idx", "i8"), ("num_threshold", "f8"), ("left", "u4"),
             ("right", "u4"), ("missing_go_to_left", "u1"), ("is_leaf", "u1")]  # fmt: skip
    for at in (4.1, 4.6, 1.3, 0.7):
        stage = np.array([(0, 9, 0, at, 1, 2, 0, 0), (-1, 4, 0, 0, 0, 0, 0, 1), (1, 5, 0, 0, 0, 0, 0, 1)], dtype=kinds)
        forest = Forest.of_nodes(grown.nodes([grown._histogram(stage)], 1, 0.0).encoded())
        assert forest is not None
        found = [forest.margin(forest.goes_left(np.array([v], dtype=np.float32))) for v in (at, at + 0.1, at - 0.1)]
        assert found == [-1.0, 1.0, -1.0]


def test_ages_in_completed_years_stay_so(folder: Path) -> None:
    """Where every sample has whole years, a record's age counts in whole years too."""
    x, y = rows()
    x = np.column_stack([np.floor(x[:, 0]), x[:, 1:]])
    xgboost.train({"objective": "binary:logistic", "nthread": 1}, xgboost.DMatrix(x, y, nthread=1), 3).save_model(
        folder / "model.json"
    )
    write_samples(folder, x[:30])
    model = bring_in(folder)
    assert model.manifest.inputs[0].whole
    write_samples(folder, rows()[0][:30])
    assert not bring_in(folder).manifest.inputs[0].whole


FEATURES = """[[features]]
id = "age"
seen = [18, 104]

[[features]]
id = "sex"
seen = [0, 1]
answers = { female = 0, male = 1 }

[[features]]
id = "egfr"
seen = [1, 150]

[[features]]
id = "diabetes"
seen = [0, 1]

"""


def test_words_conditions_and_derived_inputs_reach_the_model_as_its_numbers(folder: Path) -> None:
    """Each has a column of a table; what it cannot be is told by line and column."""
    g = np.random.default_rng(1)
    x = np.column_stack(
        [g.integers(18, 100, 200), g.integers(0, 2, 200), g.integers(5, 140, 200), g.integers(0, 2, 200)]
    )
    y = (g.random(200) < 0.3 + 0.3 * x[:, 3]).astype(int)
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1}, xgboost.DMatrix(x, y, nthread=1), 4)
    booster.save_model(folder / "model.json")
    text = (folder / "declaration.toml").read_text()
    text = text[: text.index("[[features]]")] + FEATURES + text[text.index("[[thresholds]]") :]
    (folder / "declaration.toml").write_text(text.replace('["age", "creatinine"]', '["age", "sex"]'))
    lines = ["age,sex,egfr,diabetes", *(",".join(str(v) for v in row) for row in x[:20])]
    (folder / "samples.csv").write_text("\n".join(lines) + "\n")
    model = bring_in(folder)
    table = folder / "rows.csv"
    table.write_text("id,age,sex,egfr,diabetes\na,60,male,70,1\nb,70,female,30,0\n")
    found = [line[1] for line in model.predict_table(table).lines]
    rows_ = np.array([[60, 1, 70, 1], [70, 0, 30, 0]])
    assert found == pytest.approx(booster.predict(xgboost.DMatrix(rows_, nthread=1)).tolist(), abs=1e-6)
    table.write_text("id,age,sex,egfr,diabetes\na,60,1,70,1\nb,70,female,7000,2\n")
    with pytest.raises(BadRequest, match=r"line 2: column sex: expected female or male[\s\S]*egfr[\s\S]*diabetes"):
        model.predict_table(table)


def test_a_folder_of_something_else_or_of_other_weights_is_not_overwritten(folder: Path) -> None:
    """What was shown with a version can be told from what is shown with another."""
    grow(folder)
    bring_in(folder)
    grow(folder, rounds=7)
    with pytest.raises(PluginError, match="raise `version`"):
        bring_in(folder)
    change(folder, 'id = "hospital-death"', 'id = "other-death"')
    with pytest.raises(PluginError, match="holds hospital-death"):
        bring_in(folder)
    with pytest.raises(PluginError, match="something else"):
        importing.bring_in(folder / "declaration.toml", folder / "samples.csv", folder / "models")


SAMPLES: dict[str, tuple[Callable[[str], str], str]] = {
    "empty": (lambda text: "", "is empty"),
    "header only": (lambda text: text.split("\n")[0] + "\n", "has 0 rows"),
    "an unknown column": (lambda text: text.replace("albumin", "albumin,bun", 1), r"line 1: column 4 \('bun'\)"),
    "a column twice": (lambda text: text.replace("procalcitonin", "procalcitonin,age", 1), "'age'.*is there twice"),
    "semicolons": (lambda text: text.replace(",", ";"), "parted by semicolons"),
    "a word": (lambda text: text.replace(text.split("\n")[2].split(",")[1], "high"), "line 3: column creatinine"),
    "another unit": (lambda text: text.replace("\n", "\n9", 1), "line 2: column age: expected 18 to 104"),
    "a quotation without end": (lambda text: text.replace("\n", '\n"', 1), "is no CSV file"),
    "a workbook": (lambda text: "PK\x03\x04\udcff", "is a workbook or a zip file"),
}


@pytest.mark.parametrize("fault", SAMPLES)
def test_faults_of_sample_rows_are_told_by_line_and_column(folder: Path, fault: str) -> None:
    """And nothing is imported."""
    grow(folder)
    made, words = SAMPLES[fault]
    path = folder / "samples.csv"
    path.write_bytes(made(path.read_text()).encode("utf-8", "surrogateescape"))
    with pytest.raises(BadRequest, match=words):
        bring_in(folder)
    assert not (folder / "models").exists()


FAULTS: dict[str, tuple[str, str, str]] = {
    "words without numbers": ('id = "albumin"\nseen = [1.4, 5.2]', 'id = "sex"\nseen = [0, 1]', "answers.*female = "),
    "numbers of words": ('id = "albumin"\n', 'id = "albumin"\nanswers = { low = 1 }\n', "this one is a number"),
    "race": ('id = "albumin"\nseen = [1.4, 5.2]', 'id = "race"\nseen = [0, 1]', "never an input"),
    "yes as two": ('id = "albumin"\nseen = [1.4, 5.2]', 'id = "diabetes"\nseen = [1, 2]', r"say \[0, 1\]"),
    "a factor against UCUM": ('{ "ug/L" = 1.0 }', '{ "ug/dL" = 0.1 }', "1 ug/dL is 10 ng/mL, and not 0.1"),
    "an outcome that is a column": ('outcome = "hospital_death"', 'outcome = "creatinine"', "no feature's"),
    "a window in words": (
        "look_back_days = 7",
        'look_back_days = "7 days"',
        r"features\.procalcitonin.*look_back_days",
    ),
    "no calibration": ("[calibration]", "[calibrations]", r"calibration.*docs/adding-a-model\.md"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_declarations_that_would_give_a_wrong_number_are_refused(folder: Path, fault: str) -> None:
    """Before any file is opened."""
    old, new, words = FAULTS[fault]
    change(folder, old, new)
    with pytest.raises(PluginError, match=words):
        declared.read(folder / "declaration.toml")


def test_a_library_that_says_other_things_than_at_import_is_found_out(tmp_path: Path) -> None:
    """Made-up rows and their margins stand beside the file; no row is a sample."""
    x = rows()[0][:30].astype(np.float64)
    witness.write(tmp_path / "weights.skops", lambda given: given.sum(axis=1), x)
    assert witness.agrees(tmp_path / "weights.skops", lambda given: given.sum(axis=1) + 1e-7)
    assert not witness.agrees(tmp_path / "weights.skops", lambda given: given.sum(axis=1) * 1.01)
    made = json.loads((tmp_path / "weights.skops.witness.json").read_text())["rows"]
    assert not {tuple(row) for row in made} & {tuple(row) for row in x.tolist()}
