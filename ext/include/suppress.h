/* Overlap tests of non-maximum suppression on boxes stored as five arrays (structure of arrays). */
#ifndef FACEMILL_SUPPRESS_H
#define FACEMILL_SUPPRESS_H

#include <math.h>
#include <stddef.h>

#include "dispatch.h"

/* Clears alive[j], first <= j < n, where box j overlaps box i too much: intersection > threshold * union, or
 * >= with inclusive. extra is 1 where a box from x1 to x2 covers x2 - x1 + 1 pixels, else 0. */
FM_WIDE static void fm_suppress(const double *restrict x1, const double *restrict y1, const double *restrict x2,
                                const double *restrict y2, const double *restrict area,
                                unsigned char *restrict alive, ptrdiff_t i, ptrdiff_t first, ptrdiff_t n,
                                double threshold, double extra, int inclusive)
{
    const double ax1 = x1[i], ay1 = y1[i], ax2 = x2[i], ay2 = y2[i], aarea = area[i];
    for (ptrdiff_t j = first; j < n; ++j) {
        const double left = ax1 > x1[j] ? ax1 : x1[j];
        const double top = ay1 > y1[j] ? ay1 : y1[j];
        const double right = ax2 < x2[j] ? ax2 : x2[j];
        const double bottom = ay2 < y2[j] ? ay2 : y2[j];
        const double w = right - left + extra, h = bottom - top + extra;
        const double inter = (w > 0 ? w : 0) * (h > 0 ? h : 0);
        const double limit = threshold * (aarea + area[j] - inter);
        const int over = (inter > limit) | (inclusive & (inter == limit) & (inter > 0));
        alive[j] &= (unsigned char)!over;
    }
}

/* Intersection over union of box i with each box j, first <= j < n, into iou[j]; 0 where the union is 0. */
FM_WIDE static void fm_overlaps(const double *restrict x1, const double *restrict y1, const double *restrict x2,
                                const double *restrict y2, const double *restrict area, double *restrict iou,
                                ptrdiff_t i, ptrdiff_t first, ptrdiff_t n, double extra)
{
    const double ax1 = x1[i], ay1 = y1[i], ax2 = x2[i], ay2 = y2[i], aarea = area[i];
    for (ptrdiff_t j = first; j < n; ++j) {
        const double left = ax1 > x1[j] ? ax1 : x1[j];
        const double top = ay1 > y1[j] ? ay1 : y1[j];
        const double right = ax2 < x2[j] ? ax2 : x2[j];
        const double bottom = ay2 < y2[j] ? ay2 : y2[j];
        const double w = right - left + extra, h = bottom - top + extra;
        const double inter = (w > 0 ? w : 0) * (h > 0 ? h : 0);
        const double all = aarea + area[j] - inter;
        iou[j] = all > 0 ? inter / all : 0;
    }
}

#endif
