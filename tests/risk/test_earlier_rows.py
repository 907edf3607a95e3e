"""Columns of a table that come from earlier rows of the same patient."""

from cds_service.risk import readmission
from cds_service.risk.table import Across

(ACROSS,) = (one for one in readmission.MADE if isinstance(one, Across))
# patient, number of the stay, days, admissions in the year before
ROWS = [
    ["7", "30", "4", "2"],
    ["8", "11", "3", "0"],
    ["7", "10", "2", "0"],
    ["7", "20", "9", "1"],
    ["?", "40", "1", "0"],
]


def known(position: int, rows: list[list[str]] = ROWS) -> list[str]:
    found = ACROSS.compute(rows)[position]
    return [found.get(name, "") for name in readmission.EARLIER]


def test_a_stay_knows_the_stays_before_it_in_the_order_of_their_numbers() -> None:
    """How many, all their days, the days of the last one and the admissions before that; whatever the rows' order."""
    assert known(0) == ["2", "11", "9", "1"]
    assert known(3) == ["1", "2", "2", "0"]


def test_the_first_stay_of_a_patient_has_none_before_it() -> None:
    """None is a number; of a previous stay that never was nothing is told."""
    assert known(2) == ["0", "0", "", ""]
    assert known(1) == ["0", "0", "", ""]


def test_a_later_row_changes_nothing() -> None:
    """What came afterwards is never looked at."""
    without = [row for row in ROWS if row[1] != "30"]
    assert known(2, without) == known(3)
    assert known(1, without) == known(2)


def test_a_table_with_one_stay_a_patient_tells_nothing_of_earlier_ones() -> None:
    """Rows that are scored one at a time have an unknown history, not an empty one."""
    assert known(0, [ROWS[0]]) == ["", "", "", ""]
    assert known(0, [ROWS[0], ROWS[1]]) == ["", "", "", ""]


def test_a_stay_of_nobody_known_has_no_history() -> None:
    """Rows without a patient are not taken for one person."""
    assert known(4) == ["", "", "", ""]
