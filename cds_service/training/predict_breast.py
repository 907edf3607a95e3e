"""PREDICT Breast version 2 without treatment, as a published score to compare with on the same patients.

Source: Candido dos Reis 2017, doi:10.1186/s13058-017-0852-3; coefficients and centring as in the Winton Centre's
published code. How the tumour was found and Ki-67 are taken as unknown; the offset for radiotherapy, which is the same
for everyone, is left out: only the order of patients counts here.
"""

from __future__ import annotations

import numpy as np

from cds_service.training.linear import Flags, Floats

_UNKNOWN_DETECTION = 0.204  # PREDICT's own value where nobody says whether screening found the tumour


def log_hazards(
    age: Floats, size_mm: Floats, grade: Floats, nodes: Floats, er: Floats, her2: Floats
) -> tuple[Floats, Floats]:
    """Logarithms of the ten-year cumulative hazards of death from any cause and from breast cancer; NaN if one is NaN.

    grade: 1 to 3. er, her2: 1 positive, 0 negative.
    """
    her2_part = np.where(her2 == 1, 0.2413, -0.0762) + 0.0 * her2
    decades, hundreds, tenths = age / 10, size_mm / 100, np.log((nodes + 1) / 10)
    positive = (
        34.53642 * (decades**-2 - 0.0287449295)
        - 34.20342 * (decades**-2 * np.log(decades) - 0.0510121013)
        + 0.7530729 * (np.log(hundreds) + 1.545233938)
        + 0.7060723 * (tenths + 1.387566896)
        + 0.746655 * grade
        - 0.22763366 * _UNKNOWN_DETECTION
    )
    negative = (
        0.0089827 * (age - 56.3254902)
        + 2.093446 * (np.sqrt(hundreds) - 0.5090456276)
        + 0.6260541 * (tenths + 1.086916249)
        + np.where(grade > 1, 1.129091, 0.0)
        + 0.0 * grade
    )
    cancer = her2_part + _by_receptor(er == 1, positive + 0.0 * er, negative + 0.0 * er)
    other = -6.052919 + 1.079863 * np.log(10) + 0.3255321 * np.sqrt(10) + 0.0698252 * (decades**2 - 34.23391957)
    return np.log(np.exp(cancer) + np.exp(other)), cancer


def _by_receptor(positive: Flags, with_it: Floats, without: Floats) -> Floats:
    """The index with the baseline of its kind of tumour at ten years."""
    years = 10.0
    base = 0.7424402 - 7.527762 / np.sqrt(years) - 1.812513 * np.log(years) / np.sqrt(years)
    other_base = -1.156036 + 0.4707332 / years**2 - 3.51355 / years
    return np.where(positive, base + with_it, other_base + without)
