"""What is kept beside a shipped file: used again for the same content, and never for another."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from cds_service.compiled import compiled
from cds_service.kept_classes import KeptClasses


@pytest.fixture(autouse=True)
def _kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", False)


def never() -> bytes:
    raise AssertionError("worked out a second time")


def kept(source: Path) -> list[Path]:
    return sorted((source.parent / "__pycache__").glob("*.bin"))


def test_a_result_is_worked_out_once_for_each_content(tmp_path: Path) -> None:
    """The same digest reads what is kept; another one makes it anew and removes the old."""
    source = tmp_path / "weights.ubj"
    assert compiled(source, "one", lambda: b"first") == b"first"
    assert compiled(source, "one", never) == b"first"
    assert compiled(source, "two", lambda: b"second") == b"second"
    assert len(kept(source)) == 1


def test_what_a_changed_program_left_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An upgrade that keeps the weights works their tables out anew."""
    source = tmp_path / "weights.ubj"
    compiled(source, "one", lambda: b"old")
    monkeypatch.setattr("cds_service.compiled.program", lambda: "another")
    assert compiled(source, "one", lambda: b"new") == b"new"


@pytest.mark.parametrize("damage", [b"", b"short", b"x" * 40], ids=repr)
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, damage: bytes) -> None:
    """Cut off or changed: its digest says so."""
    source = tmp_path / "weights.ubj"
    compiled(source, "one", lambda: b"right")
    kept(source)[0].write_bytes(damage)
    assert compiled(source, "one", lambda: b"right again") == b"right again"


def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file where the folder should be, and Python's own wish to write nothing."""
    (tmp_path / "__pycache__").write_text("")
    assert compiled(tmp_path / "weights.ubj", "one", lambda: b"right") == b"right"
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    quiet = tmp_path / "other" / "weights.ubj"
    quiet.parent.mkdir()
    assert compiled(quiet, "one", lambda: b"right") == b"right"
    assert not (quiet.parent / "__pycache__").exists()


@pytest.fixture
def _as_ever() -> Iterator[None]:
    """However a test ends, Python makes its classes as ever after it."""
    yield
    vars(dataclasses).pop("exec", None)


def pair() -> object:
    return dataclasses.make_dataclass("Pair", [("one", int), ("two", int)], frozen=True)(1, 2)


@pytest.mark.usefixtures("_as_ever")
def test_the_methods_of_a_class_are_compiled_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second start reads them; the classes are the same."""
    first = KeptClasses(tmp_path / "__pycache__")
    first.install()
    made = pair()
    first.keep()
    again = KeptClasses(tmp_path / "__pycache__")
    again.install()
    monkeypatch.setattr("cds_service.kept_classes.compile", never, raising=False)
    assert repr(pair()) == repr(made) == "Pair(one=1, two=2)"
    assert (dataclasses.astuple(pair()), hash(pair())) == ((1, 2), hash(made))  # type: ignore[call-overload]
    again.keep()
    assert not hasattr(dataclasses, "exec")
    assert len(list((tmp_path / "__pycache__").glob("classes.*"))) == 1


@pytest.mark.usefixtures("_as_ever")
def test_damaged_or_foreign_methods_are_compiled_anew(tmp_path: Path) -> None:
    """A file that was cut off, and none at all, cost time only."""
    for damage in (None, b"short"):
        classes = KeptClasses(tmp_path / "__pycache__")
        for file in (tmp_path / "__pycache__").glob("classes.*"):
            file.write_bytes(damage or b"")
        classes.install()
        assert repr(pair()) == "Pair(one=1, two=2)"
        classes.keep()
