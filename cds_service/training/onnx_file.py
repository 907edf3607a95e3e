"""ONNX classifiers, opened by onnxruntime: which of a file's outputs is the risk is read from it and never guessed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from cds_service.errors import PluginError
from cds_service.training.original import Floats, Opened, log_odds

_NUMBERS = {"tensor(float)": np.float32, "tensor(double)": np.float64}
_CLASSES = ("classlabels_int64s", "classlabels_ints", "classlabels_strings")
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

    def margins(rows: Floats) -> Floats:
        return log_odds(probabilities(session, rows))

    shape = session.get_inputs()[0].shape
    width = shape[1] if len(shape) == 2 and isinstance(shape[1], int) else None
    kinds = tuple(node.op_type for node in graph.node)
    fills = next((kind for kind in kinds if kind == "Imputer"), None)
    return Opened((graph, session), kinds, "log-odds", margins, None, width, fills)


def probabilities(session: Any, rows: Floats) -> Floats:
    """What a classifier says of rows: P(1). Raises ValueError if it gives something else."""
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
