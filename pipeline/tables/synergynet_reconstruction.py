"""SynergyNet, 3D face modelling on AFLW2000-3D and Florence: its numbers are lost, those of methods beside it known.

Paper: C.-Y. Wu et al., "Synergy between 3DMM and 3D Landmarks for Accurate 3D Facial Geometry", 3DV 2021
(arXiv:2110.09772).
"""

from __future__ import annotations

from pipeline.registry import TABLES
from pipeline.tables.beside import beside
from pipeline.tables.paper import ISSUE, LOST, NOTES, Heading, Method, Paper, Part
from pipeline.tables.results import Results
from pipeline.tables.table import Table

OWN = "its own paper"
PAPER = Paper(
    "SynergyNet, 3D face modelling, NME in per cent",
    (
        Part(
            (
                Heading("aflw2000", ("dense_3d", "dense_3d_zmean"), "plain", "the paper's table"),
                Heading("aflw2000", ("reconstruction", "reconstruction_known"), "plain", "the paper's table"),
                Heading("florence", ("florence", "florence_landmarks"), "plain", "the paper's table"),
            ),
            (
                Method("VRN", NOTES, (None, None, 5.27), ours=("vrn",), stands_in="PRN's paper"),
                Method("PRNet", (ISSUE, NOTES, NOTES), (4.40, 3.9625, 3.7551), ours=("prn",), stands_in=OWN),
                Method("3DDFA-V2", NOTES, (4.18, None, 3.56), ours=("tddfa",), stands_in=OWN),
                Method("SynergyNet", NOTES, (LOST, LOST, LOST), ours=("synergynet",)),
            ),
        ),
    ),
    (
        "The paper has two protocols on AFLW2000-3D, called P1 and P2, and Florence. Neither its numbers nor what P1 "
        "and P2 are could be recovered; its code has no such benchmark. The numbers of other methods are from their "
        "own papers, and may differ from those of the lost table.",
        "Of 3DDFA-V2's 4.18 our sources disagree: one has it as an error of dense points, another of the surface.",
        "ICP changes rankings (M3DFB, arXiv:2505.18025): reconstruction_known stands beside reconstruction.",
    ),
)


@TABLES.register("synergynet_reconstruction")
def synergynet_reconstruction(results: Results) -> Table:
    """The paper's table with ours beside it."""
    return beside(PAPER, results)
