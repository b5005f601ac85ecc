"""2DASL: its table of 68 points, and the figures of its MATLAB scripts with what its published files give.

Paper: X. Tu et al., "3D Face Reconstruction From A Single Image Assisted by 2D Face Images in the Wild", IEEE TMM 23,
2021 (arXiv:1903.09359). Its training was never published; its parameters of 1,998 pictures, and meshes and points of 40
by three methods, were.
"""

from __future__ import annotations

from pipeline.registry import TABLES
from pipeline.tables.beside import beside
from pipeline.tables.paper import (
    ISSUE,
    LOST,
    PICTURE,
    RECOMPUTED,
    SCRIPT,
    UNVERIFIED,
    Heading,
    Method,
    Paper,
    Part,
    by_yaw,
)
from pipeline.tables.results import Results
from pipeline.tables.table import Table

PARAMETERS = "parameters of 1,998 pictures"
MESHES = "meshes and points of 40 pictures"

TABLE = Part(
    by_yaw("aflw2000", ("nme68_2d", "nme68_2d_legacy"), "Table 1"),
    (
        Method("SDM", UNVERIFIED, (3.67, 4.94, 9.67, 6.12)),
        Method("3DDFA", UNVERIFIED, (3.78, 4.54, 7.93, 5.42)),
        Method("3DDFA+SDM", UNVERIFIED, (3.43, 4.24, 7.17, 4.94)),
        Method("DeFA", UNVERIFIED, (None, None, None, 4.50)),
        Method(
            "2DASL",
            PICTURE,
            (2.75, 3.46, 4.45, 3.55),
            ours=("2dasl",),
            stands_in="SynergyNet's table of alignment, which cites it",
        ),
        Method(
            "2DASL, published parameters",
            RECOMPUTED,
            (2.671, 3.605, 4.659, 3.645),
            ours=("2dasl",),
            stands_in=PARAMETERS,
        ),
    ),
)
SCRIPTS = Part(
    (
        Heading("aflw2000", ("nme68_2d", "nme68_2d_legacy"), "plain", "script croPoses_68pts_2d"),
        Heading("aflw2000", ("nme68_3d", "nme68_3d_legacy"), "plain", "the paper, by issue 19"),
        Heading("aflw_lfpa", ("lfpa34",), "plain", "the paper's table of AFLW-LFPA"),
        Heading("aflw2000", ("vertices_2d",), "plain", "script dense_2d, a curve without a number"),
        Heading("aflw2000", ("vertices_3d",), "plain", "script dense_3d, a curve without a number"),
        Heading(
            "aflw2000",
            ("reconstruction_2dasl",),
            "plain",
            "script 3DReconstruction, a curve without a number",
        ),
    ),
    (
        Method("DeFA", SCRIPT, (4.79, None, None, None, None, None)),
        Method("PRNet", (SCRIPT, ISSUE, *[None] * 4), (3.63, 6.12, *[None] * 4), ours=("prn",)),
        Method("VRN", SCRIPT, (3.86, *[None] * 5), ours=("vrn",)),
        Method("3DDFA", SCRIPT, (4.55, *[None] * 5)),
        Method("2DASL", SCRIPT, (3.16, *[LOST] * 5), ours=("2dasl",)),
        Method("2DASL, published parameters", RECOMPUTED, (3.152, *[None] * 5), stands_in=PARAMETERS),
    ),
)
REANNOTATED = Part(
    (
        *by_yaw("aflw2000", ("nme68_2d_re",), PARAMETERS),
        Heading("aflw2000", ("nme68_2d_re",), "plain", PARAMETERS),
    ),
    (
        Method(
            "2DASL, published parameters",
            RECOMPUTED,
            (2.410, 2.820, 3.934, 3.055, 2.721),
            ours=("2dasl",),
        ),
    ),
)
FORTY = Part(
    (
        Heading("aflw2000", ("nme68_2d_legacy",), "plain", MESHES, beside=False),
        Heading("aflw2000", ("nme68_2d_legacy",), "median", MESHES, beside=False),
        Heading("aflw2000", ("nme68_3d_legacy",), "plain", MESHES, beside=False),
        Heading("aflw2000", ("nme68_3d_legacy",), "median", MESHES, beside=False),
        Heading("aflw2000", ("nme68_3d_zmean_legacy",), "plain", MESHES, beside=False),
    ),
    (
        Method("PRNet, published meshes", RECOMPUTED, (2.751, 2.377, 5.074, 4.298, 4.102)),
        Method("2DASL, published meshes", RECOMPUTED, (2.372, 1.911, 4.297, 3.961, 3.627)),
        Method("3DDFA, published meshes", RECOMPUTED, (2.523, 2.070, 4.282, 4.071, 3.695)),
    ),
)
PAPER = Paper(
    "2DASL: 68 points, and what its scripts and files give, NME in per cent",
    (TABLE, SCRIPTS, REANNOTATED, FORTY),
    (
        "The published parameters give 3.645, not the printed 3.55, though they give the row of head pose to the digit "
        "(synergynet_pose): the printed row is from another run or other pictures. They leave out image02139 and "
        "image03862, in which a detector found no face.",
        "SDM's bins have the mean 6.09, not 6.12: one of our numbers for it is off (9.76 in place of 9.67 would fit).",
        "The legend of croPoses_68pts_2d holds means over pictures, not over yaw bins; the script leaves out the 29 "
        "smallest errors of 2DASL, which are zeros of pictures without a detection.",
        "Ours learns by keywords of its task that nobody can confirm, as the training was never published: wpdc, "
        "consistency_2d, consistency_3d, cycle, self_critic, vdc, vdc_share, vdc_sampled, critic_sees, critic_dropout, "
        "point_weights, jitter and dropout. docs/systems.md says what is known of each.",
        "The 40 pictures are two in a hundred of the set: ours are not beside them. On them 2DASL and 3DDFA change "
        "places with the rule for depth. The scripts of dense points read an expression that they never set.",
    ),
)


@TABLES.register("two_dasl")
def two_dasl(results: Results) -> Table:
    """The paper's and the scripts' figures with ours beside them."""
    return beside(PAPER, results)
