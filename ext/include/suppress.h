/* Overlap tests of non-maximum suppression on boxes stored as five arrays (structure of arrays). */
#ifndef FACEMILL_SUPPRESS_H
#define FACEMILL_SUPPRESS_H

#include <math.h>
#include <stddef.h>

#include "dispatch.h"

/* The corners of one box. */
typedef struct {
    double x1, y1, x2, y2;
} fm_box;

/* Area that box a shares with the box (x1, y1, x2, y2). extra is 1 where a box from x1 to x2 covers x2 - x1 + 1
 * pixels, else 0. */
static inline double fm_shared(fm_box a, double x1, double y1, double x2, double y2, double extra)
{
    const double left = a.x1 > x1 ? a.x1 : x1;
    const double top = a.y1 > y1 ? a.y1 : y1;
    const double right = a.x2 < x2 ? a.x2 : x2;
    const double bottom = a.y2 < y2 ? a.y2 : y2;
    const double w = right - left + extra, h = bottom - top + extra;
    return (w > 0 ? w : 0) * (h > 0 ? h : 0);
}

/* Clears alive[j], first <= j < n, where box j overlaps box i too much: intersection > threshold * union, or
 * >= with inclusive. */
FM_WIDE static void fm_suppress(const double *restrict x1, const double *restrict y1, const double *restrict x2,
                                const double *restrict y2, const double *restrict area,
                                unsigned char *restrict alive, ptrdiff_t i, ptrdiff_t first, ptrdiff_t n,
                                double threshold, double extra, int inclusive)
{
    const fm_box box = {x1[i], y1[i], x2[i], y2[i]};
    const double own = area[i];
    for (ptrdiff_t j = first; j < n; ++j) {
        const double inter = fm_shared(box, x1[j], y1[j], x2[j], y2[j], extra);
        const double limit = threshold * (own + area[j] - inter);
        const int over = (inter > limit) | (inclusive & (inter == limit) & (inter > 0));
        alive[j] &= (unsigned char)!over;
    }
}

/* Intersection over union of box i with each box j, first <= j < n, into iou[j]; 0 where the union is 0. */
FM_WIDE static void fm_overlaps(const double *restrict x1, const double *restrict y1, const double *restrict x2,
                                const double *restrict y2, const double *restrict area, double *restrict iou,
                                ptrdiff_t i, ptrdiff_t first, ptrdiff_t n, double extra)
{
    const fm_box box = {x1[i], y1[i], x2[i], y2[i]};
    const double own = area[i];
    for (ptrdiff_t j = first; j < n; ++j) {
        const double inter = fm_shared(box, x1[j], y1[j], x2[j], y2[j], extra);
        const double all = own + area[j] - inter;
        iou[j] = all > 0 ? inter / all : 0;
    }
}

#endif
