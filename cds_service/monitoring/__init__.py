"""What became of a service that is live: counts by month that hold no patient, and alarms where they leave their range.

Inputs and estimates are counted by their first two digits, so that counts can be added up, and compared with those of
the first months by the population stability index. Outcomes come in as they are known: patient, outcome and day.
"""

from cds_service.monitoring.alarms import alarms
from cds_service.monitoring.chance import binned, psi
from cds_service.monitoring.counting import Counts, Judged, Month, Outcomes, Watched, count, digits
from cds_service.monitoring.kept import Monitored, from_json, judged_before, merged, to_json
from cds_service.monitoring.rung import Alarm

__all__ = [
    "Alarm",
    "Counts",
    "Judged",
    "Monitored",
    "Month",
    "Outcomes",
    "Watched",
    "alarms",
    "binned",
    "count",
    "digits",
    "from_json",
    "judged_before",
    "merged",
    "psi",
    "to_json",
]  # fmt: skip
