"""ONNX files whose risk cannot be told for certain are refused; which output it is is read and never guessed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("skl2onnx", reason="needs the train extra")

import onnx
import skl2onnx
from onnx import TensorProto, helper, numpy_helper
from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from cds_service.errors import PluginError
from cds_service.risk import declared
from cds_service.risk.calibration import expit
from cds_service.training import importing, onnx_file
from cds_service.training.converting import answers, convert
from tests.training import test_importing
from tests.training.test_importing import change, rows, write_samples

folder = test_importing.folder


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.onnx"


def fitted(classes: int = 2, words: tuple[str, ...] = ()) -> LogisticRegression:
    x, y = rows()
    y = y + (x[:, 1] > 1.3) * (classes - 2)
    return LogisticRegression(max_iter=2000).fit(x.astype(np.float64), np.array(words)[y] if words else y)


def export(path: Path, model: Any, kind: Any = FloatTensorType, **options: Any) -> None:
    told = {id(model): options} if options else None
    path.write_bytes(
        skl2onnx.convert_sklearn(model, initial_types=[("x", kind([None, 4]))], options=told).SerializeToString()
    )


def by_hand(path: Path, width: int, last: str) -> None:
    weights = np.random.default_rng(0).normal(0, 0.02, (4, width)).astype(np.float32)
    steps = [helper.make_node("MatMul", ["x", "w"], ["z"]), helper.make_node(last, ["z"], ["p"])]
    ends = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, n])] for name, n in (("x", 4), ("p", width))]
    graph = helper.make_graph(steps, "g", *ends, [numpy_helper.from_array(weights, "w")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)


def says(path: Path) -> np.ndarray:
    return answers(path, onnx_file.opened(path).margins, rows()[0][:9].astype(np.float64))


@pytest.mark.parametrize("zipmap", [True, False])
def test_the_risk_is_that_of_class_one_wherever_its_output_stands(path: Path, zipmap: bool) -> None:
    """As a map or a matrix, and with the outputs the other way round."""
    model = fitted()
    export(path, model, zipmap=zipmap)
    expected = model.decision_function(rows()[0][:9])
    assert says(path) == pytest.approx(expected, abs=1e-5)
    found = onnx.load(path)
    turned = list(found.graph.output)[::-1]
    del found.graph.output[:]
    found.graph.output.extend(turned)
    onnx.save(found, path)
    assert says(path) == pytest.approx(expected, abs=1e-5)


def test_a_file_that_counts_in_double_precision_is_given_that(path: Path) -> None:
    """And agrees to what it counts in."""
    model = fitted()
    export(path, model, DoubleTensorType, zipmap=False)
    assert says(path) == pytest.approx(model.decision_function(rows()[0][:9]), abs=1e-9)


def test_other_outcomes_than_one_of_zero_and_one_are_refused(path: Path) -> None:
    """Three classes, words, and one output a class: nobody need guess which is the bad one."""
    for model, options in ((fitted(3), {"zipmap": False}), (fitted(3), {}), (fitted(words=("ill", "well")), {})):
        export(path, model, **options)
        with pytest.raises(PluginError, match="train it on an outcome of 0 and 1"):
            says(path)
    export(path, fitted(), zipmap="columns")
    with pytest.raises(PluginError, match="2 outputs of numbers"):
        says(path)


@pytest.mark.parametrize(("width", "last"), [(3, "Softmax"), (2, "Sigmoid")])
def test_networks_that_tell_no_one_risk_are_refused(path: Path, width: int, last: str) -> None:
    """The last of three classes is not the outcome, nor is the second of two outcomes."""
    by_hand(path, width, last)
    with pytest.raises(PluginError, match="outcome of 0 and 1"):
        says(path)
    by_hand(path, 1, "Sigmoid")
    assert says(path).shape == (9,)


def test_what_is_cut_off_is_refused_and_inputs_that_are_normalised_are_no_sum(path: Path) -> None:
    """In words that say what to do."""
    x, y = rows()
    export(path, make_pipeline(Normalizer(), LogisticRegression()).fit(x, y))
    opened = onnx_file.opened(path)
    with pytest.raises(PluginError, match=r"Normalizer.*cannot be explained exactly"):
        convert(path, opened, x.astype(np.float64), unexplained=False)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(PluginError, match="export it anew"):
        says(path)


def drawn(path: Path, steps: list[Any], *constants: Any) -> None:
    """A graph from x (four columns) to p, of opset 13 and the operators of classical models."""
    ends = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, n])] for name, n in (("x", 4), ("p", None))]
    weights = np.array([[0.004], [0.05], [0.03], [0.01]], np.float32)
    known = [numpy_helper.from_array(np.array(value, np.float32), name) for name, value in (("w", weights), *constants)]
    graph = helper.make_graph(steps, "g", *ends, known)
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("ai.onnx.ml", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)


SCORE = helper.make_node("MatMul", ["x", "w"], ["z"])  # between 0 and 1 for every row here, and no probability
SIGMOID = helper.make_node("Sigmoid", ["z"], ["s"])
LINEAR = {"coefficients": [-0.1, -0.1, -0.1, -0.1, 0.1, 0.1, 0.1, 0.1], "intercepts": [0.0, 0.0]}


def linear(after: str) -> Any:
    return helper.make_node("LinearClassifier", ["x"], ["label", "raw"], domain="ai.onnx.ml", classlabels_ints=[0, 1],
                            post_transform=after, **LINEAR)  # fmt: skip


@pytest.mark.parametrize(
    ("steps", "ends"),
    [
        ([helper.make_node("MatMul", ["x", "w"], ["p"])], "MatMul"),
        ([SCORE, helper.make_node("Identity", ["z"], ["p"])], "MatMul"),
        ([SCORE, helper.make_node("Clip", ["z", "zero", "one"], ["p"])], "Clip"),
        ([SCORE, SIGMOID, helper.make_node("Mul", ["s", "half"], ["p"])], "Mul"),
        ([SCORE, helper.make_node("Sub", ["one", "z"], ["n"]), helper.make_node("Concat", ["n", "z"], ["p"], axis=1)],
         "MatMul"),
        ([SCORE, SIGMOID, helper.make_node("Sub", ["half", "s"], ["p"])], "Sub"),
        ([linear("LOGISTIC"), helper.make_node("Cast", ["label"], ["p"], to=TensorProto.FLOAT)],
         "the class that LinearClassifier tells"),
        ([SCORE, SIGMOID, helper.make_node("Identity", ["s"], ["p"])], None),
        ([SCORE, SIGMOID, helper.make_node("Sub", ["one", "s"], ["n"]),
          helper.make_node("Concat", ["n", "s"], ["p"], axis=1)], None),
        ([linear("SOFTMAX"), helper.make_node("Identity", ["raw"], ["p"])], None),
    ],
)  # fmt: skip
def test_numbers_are_probabilities_only_where_their_operator_gives_nothing_else(
    path: Path, steps: list[Any], ends: str | None
) -> None:
    """Whatever rows say: a sum that happens to lie between 0 and 1 is a decision value."""
    drawn(path, steps, ("zero", 0.0), ("one", 1.0), ("half", 0.5))
    opened = onnx_file.opened(path)
    assert (opened.counts, opened.ends) == ("log-odds" if ends is None else "decision", ends)


def test_a_raw_score_between_0_and_1_is_refused_until_it_is_calibrated(folder: Path) -> None:
    """Then its estimate is that of the declared line, and not the score."""
    x, _ = rows()
    drawn(folder / "model.onnx", [helper.make_node("MatMul", ["x", "w"], ["p"])])
    score = x @ np.array([0.004, 0.05, 0.03, 0.01], np.float32)
    assert 0 < score.min() < score.max() < 1
    write_samples(folder, x[:20])
    change(folder, "model.json", "model.onnx")
    change(folder, "minimum = 3", "minimum = 4")
    given = (folder / "declaration.toml", folder / "samples.csv", folder / "out")
    with pytest.raises(PluginError, match=r'decision value.*comes from MatMul.*say of = "decision"'):
        importing.bring_in(*given, unexplained=True)
    change(folder, "slope = 1.0", 'slope = 8.0\nof = "decision"')
    change(folder, "intercept = 0.0", "intercept = -4.0")
    importing.bring_in(*given, unexplained=True)
    table = folder / "rows.csv"
    lines = [f"r{i},{','.join(f'{v:.9g}' for v in row)}" for i, row in enumerate(x[:3])]
    table.write_text("\n".join(["id,age,creatinine,albumin,procalcitonin", *lines]) + "\n")
    found = declared.load(folder / "out").predict_table(table)
    assert [line[2] for line in found.lines] == pytest.approx(expit(-4 + 8 * score[:3].astype(float)), abs=1e-5)


def test_what_depends_on_the_rows_beside_it_is_refused(path: Path) -> None:
    """A patient is asked about alone; the average of a batch is then the patient."""
    steps = [SCORE, helper.make_node("ReduceMean", ["z"], ["m"], axes=[0]), helper.make_node("Sub", ["z", "m"], ["d"])]
    drawn(path, [*steps, helper.make_node("Sigmoid", ["d"], ["p"])])
    with pytest.raises(PluginError, match="says other things of a row alone"):
        convert(path, onnx_file.opened(path), rows()[0].astype(np.float64), unexplained=True)
