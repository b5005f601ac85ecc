"""VRN, Table 1: error of the reconstructed surface on AFLW2000-3D, BU-4DFE and Florence.

Paper: A. Jackson et al., "Large Pose 3D Face Reconstruction from a Single Image via Direct Volumetric CNN Regression",
ICCV 2017.
"""

from __future__ import annotations

from pipeline.registry import TABLES
from pipeline.tables.beside import beside
from pipeline.tables.paper import UNVERIFIED, Heading, Method, Paper, Part
from pipeline.tables.results import Results
from pipeline.tables.table import Table

PAPER = Paper(
    "VRN, Table 1: error of the surface over the outer interocular distance, in per cent",
    (
        Part(
            (
                Heading(
                    "aflw2000",
                    ("reconstruction_vrn", "reconstruction_vrn_moved", "reconstruction_known"),
                    "plain",
                    "Table 1, AFLW2000-3D",
                ),
                Heading("bu4dfe", ("bu4dfe", "bu4dfe_landmarks"), "plain", "Table 1, BU-4DFE"),
                Heading("florence", ("florence_vrn", "florence_landmarks"), "plain", "Table 1, Florence"),
            ),
            (
                Method("3DDFA", UNVERIFIED, (10.12, 12.27, 9.75)),
                Method("EOS (weight of shape 5000)", UNVERIFIED, (9.71, 15.60, 12.53)),
                Method("VRN", UNVERIFIED, (6.76, 6.00, 5.68), ours=("vrn",)),
                Method("VRN-Multitask", UNVERIFIED, (6.98, 6.25, 5.42), ours=("vrn_multitask",)),
                Method("VRN-Guided", UNVERIFIED, (6.37, 5.55, 5.09), ours=("vrn_guided",)),
            ),
        ),
    ),
    (
        "The paper prints shares (0.0676); they stand here in per cent.",
        "Users could not get 0.0676 back from the published weights (vrn, issue 99). PRN's paper has 5.27 for VRN on "
        "Florence (prn_curves).",
        "The renderings of BU-4DFE and Florence were never published; docs/scans.md says how ours are made, and what "
        "of the papers' poses is uncertain.",
    ),
)


@TABLES.register("vrn_table1")
def vrn_table1(results: Results) -> Table:
    """The paper's Table 1 with ours beside it."""
    return beside(PAPER, results)
