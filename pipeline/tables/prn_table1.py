"""PRN, Table 1: 68 points in 2D on AFLW2000-3D balanced over yaw, and 34 visible points on AFLW-LFPA.

Paper: Y. Feng et al., "Joint 3D Face Reconstruction and Dense Alignment with Position Map Regression Network",
ECCV 2018. Not to be mixed with the legends of its curves (`prn_curves`), which are means over all pictures.
"""

from __future__ import annotations

from pipeline.registry import TABLES
from pipeline.tables.beside import beside
from pipeline.tables.paper import NOTES, UNVERIFIED, Heading, Method, Paper, Part, by_yaw
from pipeline.tables.results import Results
from pipeline.tables.table import Table

PAPER = Paper(
    "PRN, Table 1: 68 points in 2D, balanced over yaw, and AFLW-LFPA, NME in per cent",
    (
        Part(
            (
                *by_yaw("aflw2000", ("nme68_2d", "nme68_2d_legacy", "nme68_2d_aflw_yaw"), "Table 1"),
                Heading("aflw_lfpa", ("lfpa34",), "plain", "Table 1, last column"),
            ),
            (
                Method("SDM", UNVERIFIED, (3.67, 4.94, 9.67, 6.12, None)),
                Method("3DDFA", UNVERIFIED, (3.78, 4.54, 7.93, 5.42, None)),
                Method("3DDFA+SDM", UNVERIFIED, (3.43, 4.24, 7.17, 4.94, None)),
                Method("PAWF", UNVERIFIED, (None, None, None, None, 4.72)),
                Method("Yu et al.", UNVERIFIED, (3.62, 6.06, 9.56, None, None)),
                Method("3DSTN", UNVERIFIED, (3.15, 4.33, 5.98, 4.49, None)),
                Method("DeFA", UNVERIFIED, (None, None, None, 4.50, 3.86)),
                Method(
                    "PRN",
                    (UNVERIFIED, UNVERIFIED, UNVERIFIED, NOTES, UNVERIFIED),
                    (2.75, 3.51, 4.61, 3.62, 2.93),
                    ours=("prn",),
                ),
            ),
        ),
    ),
    (
        "The paper balances by a random choice of 696 pictures, 232 a bin, whose list was never published; the mean of "
        "the three bins' means is what such a choice gives on average.",
        "SDM's bins have the mean 6.09, not 6.12: one of our numbers for it is off (9.76 in place of 9.67 would fit).",
        "It does not say which list of yaws sorts the pictures: nme68_2d_aflw_yaw has the other one. nme68_2d_legacy "
        "compares numbers as they stand in the files, one pixel apart.",
    ),
)


@TABLES.register("prn_table1")
def prn_table1(results: Results) -> Table:
    """The paper's Table 1 with ours beside it."""
    return beside(PAPER, results)
