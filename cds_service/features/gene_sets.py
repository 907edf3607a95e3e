"""Sets of genes whose joint expression tells of one thing in a tumour, as others published them.

Of each set the genes that the table of `models/lung-adenocarcinoma-survival` measures. None was found with survival in
that table, nor on patients of The Cancer Genome Atlas with lung cancer: they are facts from elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.language import Message, msg


@dataclass(frozen=True, slots=True)
class GeneSet:
    """Genes by symbol, and 1 if more of them goes with earlier death in the literature, -1 if with later."""

    id: str
    label: Message
    sign: int
    genes: tuple[str, ...]
    source: str


LUNG_ADENOCARCINOMA = (
    GeneSet(
        "cell_cycle",
        msg("Genes of the cell cycle"),
        1,
        ("BLM", "BRIP1", "MSH2", "HMGB2", "CDK1", "AURKB", "BUB1", "TTK", "HMMR", "AURKA", "CTCF", "NEK2", "CBX5"),
        "Tirosh 2016, doi:10.1126/science.aad0501",
    ),
    GeneSet(
        "hypoxia",
        msg("Genes of hypoxia"),
        1,
        ("VEGFA", "ENO1", "ADM", "MIF", "GPI"),
        "Buffa 2010, doi:10.1038/sj.bjc.6605450",
    ),
    GeneSet(
        "t_cells",
        msg("Genes of T cells"),
        -1,
        ("CD28", "CD3D", "CD3G", "CD5", "CD6", "CTLA4", "FLT3LG", "ICOS", "PBX4", "SIRPG"),
        "Becht 2016, doi:10.1186/s13059-016-1070-5",
    ),
    GeneSet(
        "b_cells",
        msg("Genes of B cells"),
        -1,
        ("CD19", "CD22", "CD79A", "CR2", "MS4A1", "PAX5"),
        "Becht 2016, doi:10.1186/s13059-016-1070-5",
    ),
    GeneSet(
        "dendritic_cells",
        msg("Genes of dendritic cells"),
        -1,
        ("CD1A", "CD1B", "CD1E", "CLEC10A"),
        "Becht 2016, doi:10.1186/s13059-016-1070-5",
    ),
)
