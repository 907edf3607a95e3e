"""ONNX classifiers, opened by onnxruntime: which of a file's outputs is the risk is read from it and never guessed.

Numbers between 0 and 1 on some rows are no probabilities for that. They count as such only where the operator that
makes them can give nothing else; whatever comes from another one is a decision value, with a calibration of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cds_service.errors import PluginError
from cds_service.training.original import Counts, Floats, Opened, log_odds

_NUMBERS = {"tensor(float)": np.float32, "tensor(double)": np.float64}
_CLASSES = ("classlabels_int64s", "classlabels_ints", "classlabels_strings")
_TREES = "TreeEnsembleClassifier"
_CLASSIFIERS = {"LinearClassifier", "SVMClassifier", _TREES}
_PROBABLE = {"Sigmoid", "Softmax"}
_THROUGH = {  # what these give is what they are given, in another form
    "ArrayFeatureExtractor", "Cast", "Flatten", "Gather", "Identity", "Reshape", "Slice", "Split", "Squeeze",
    "Transpose", "Unsqueeze", "ZipMap",
}  # fmt: skip
_SUM = 1e-4  # by which two probabilities may miss one
_OUTCOME = "train it on an outcome of 0 and 1, and export the classifier with its probabilities"


def opened(path: Path) -> Opened:
    """The model in a file. Raises PluginError with one sentence that says what to mend."""
    import onnx
    import onnxruntime

    try:
        graph = onnx.load(path, load_external_data=False).graph
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - a foreign file may fail in any way
        raise PluginError(
            f"{path.name}: is no whole ONNX file ({type(error).__name__}); export it anew as one file"
        ) from None
    if (fault := next(_faults(graph, session), None)) is not None:
        raise PluginError(f"{path.name}: {fault}")

    ends = _maker(graph, _told(session)[0].name)
    counts: Counts = "log-odds" if ends is None else "vote" if ends == _TREES else "decision"

    def margins(rows: Floats) -> Floats:
        found = probabilities(session, rows)
        return log_odds(found) if counts == "log-odds" else found

    shape = session.get_inputs()[0].shape
    width = shape[1] if len(shape) == 2 and isinstance(shape[1], int) else None
    kinds = tuple(node.op_type for node in graph.node)
    fills = next((kind for kind in kinds if kind == "Imputer"), None)
    return Opened((graph, session), kinds, counts, margins, None, width, fills, ends)


def probabilities(session: Any, rows: Floats) -> Floats:
    """What a classifier says of 1 for each row. Raises ValueError if it tells of other classes."""
    asked = session.get_inputs()[0]
    answer: Any = session.run([_told(session)[0].name], {asked.name: rows.astype(_NUMBERS[asked.type])})[0]
    if isinstance(answer, list):  # a map of classes for each row
        if any(set(row) != {0, 1} for row in answer):
            raise ValueError(f"it tells other classes than 0 and 1; {_OUTCOME}")
        return np.array([row[1] for row in answer], dtype=np.float64)
    found = np.asarray(answer, dtype=np.float64).reshape(len(rows), -1)
    if found.shape[1] not in (1, 2):
        raise ValueError(f"it gives {found.shape[1]} numbers a row; {_OUTCOME}")
    if found.shape[1] == 2 and not np.all(np.abs(found.sum(axis=1) - 1) <= _SUM):
        raise ValueError(f"its two numbers a row are no probabilities of 0 and of 1; {_OUTCOME}")
    return np.asarray(found[:, -1], dtype=np.float64)


def _maker(graph: Any, name: str) -> str | None:
    """The operator that a number comes from, if by itself that makes no probability; None if it makes one."""
    node = _node(graph, name)
    if node is None:
        return "nothing that computes it"
    given = {one.name: one for one in node.attribute}
    if node.op_type in _CLASSIFIERS:
        if name == node.output[0]:
            return f"the class that {node.op_type} tells"
        after = bytes(given["post_transform"].s) if "post_transform" in given else b"NONE"
        scaled = node.op_type == "SVMClassifier" and "prob_a" in given and len(given["prob_a"].floats) > 0
        return None if after in (b"LOGISTIC", b"SOFTMAX") or scaled else str(node.op_type)
    shares = (node.op_type == "Normalizer" and "norm" in given and given["norm"].s == b"L1") or _by_sum(graph, node)
    if node.op_type == "Concat":
        return next((found for part in node.input if (found := _maker(graph, part)) is not None), None)
    if node.op_type == "Sub" and _is_one(graph, node.input[0]):
        return _maker(graph, node.input[1])
    if node.op_type in _THROUGH or shares:
        return _maker(graph, node.input[0])
    return None if node.op_type in _PROBABLE else str(node.op_type)


def _node(graph: Any, name: str) -> Any:
    """The operator that gives a number, or None."""
    return next((node for node in graph.node if name in node.output), None)


def _by_sum(graph: Any, node: Any) -> bool:
    """Whether an operator divides numbers by their sum."""
    whole = _node(graph, node.input[1]) if node.op_type == "Div" else None
    if whole is None or whole.op_type not in {"ReduceSum", "ReduceL1"}:
        return False
    size = _node(graph, whole.input[0])
    return node.input[0] in (whole.input[0], size.input[0] if size is not None and size.op_type == "Abs" else None)


def _is_one(graph: Any, name: str) -> bool:
    """Whether a number is the constant 1."""
    from onnx import numpy_helper

    known = [one for one in graph.initializer if one.name == name]
    known += [a.t for node in graph.node if name in node.output and node.op_type == "Constant" for a in node.attribute]
    return len(known) == 1 and bool(np.all(numpy_helper.to_array(known[0]) == 1))


def _told(session: Any) -> list[Any]:
    """The outputs that can be probabilities."""
    return [one for one in session.get_outputs() if one.type in _NUMBERS or one.type.startswith("seq(map(int64")]


def _faults(graph: Any, session: Any) -> Iterator[str]:
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1:
        yield f"takes {len(inputs)} inputs; export it with one matrix as input"
    elif inputs[0].type not in _NUMBERS:
        yield f"takes {inputs[0].type}; export it with one matrix of numbers (float or double) as input"
    if any("string" in one.type for one in outputs):
        yield f"tells its outcome in words, and nobody need guess which is the bad one; {_OUTCOME}"
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.name in _CLASSES:
                classes = [*attribute.ints, *attribute.strings]
                if classes and classes != [0, 1]:
                    yield f"tells {len(classes)} classes that are not 0 and 1; {_OUTCOME}"
    if len(_told(session)) != 1:
        yield (
            f"has {len(_told(session))} outputs of numbers, and one is needed, the probabilities; export it with one "
            "(skl2onnx: zipmap=False)"
        )
