"""A time keeps the record's own offset for the reader, and is compared as the moment that it is."""

from datetime import UTC, date, datetime, timedelta

from cds_service.features import catalogue
from cds_service.features.extract import extract
from cds_service.features.feature import FeatureValue
from cds_service.fhir import times
from cds_service.language import msg, words
from tests.features import built


def test_a_morning_in_sydney_is_that_morning_and_not_the_day_before() -> None:
    """The day is the ward's; the moment is that of UTC."""
    span = times.parse("2026-05-06T08:00:00+10:00")
    assert span is not None
    assert span.start.date() == date(2026, 5, 6)
    assert span.start == datetime(2026, 5, 5, 22, tzinfo=UTC)
    assert words()(msg("{when}", when=span.start)) == "6 May 2026 08:00 UTC+10:00"
    assert words()(msg("{when}", when=span.start.astimezone(UTC))) == "5 May 2026 22:00 UTC"


def test_the_latest_value_is_the_latest_moment_whatever_the_clocks_show() -> None:
    """07:00 in London is later than 14:00 of the same day in Sydney."""
    sydney = {**built.lab("2160-0", 1.0, "mg/dL"), "effectiveDateTime": "2026-05-06T14:00:00+10:00"}
    london = {**built.lab("2160-0", 2.0, "mg/dL"), "id": "later", "effectiveDateTime": "2026-05-06T07:00:00+01:00"}
    for rows in ((sydney, london), (london, sydney)):
        entry = extract(built.record(*rows), [catalogue.CREATININE])[catalogue.CREATININE]
        assert isinstance(entry, FeatureValue)
        assert entry.value == 2.0
        assert entry.effective is not None
        assert entry.effective.utcoffset() == timedelta(hours=1)


def test_a_time_that_utc_cannot_express_is_no_time() -> None:
    """The first hours of the first year, east of Greenwich."""
    assert times.parse("0001-01-01T00:00:00+10:00") is None
