/* The nearest point on a set of segments, for texels that no triangle of the chart covers. */
#ifndef FACEMILL_NEAREST_H
#define FACEMILL_NEAREST_H

#include <stddef.h>
#include <stdint.h>

#include "dispatch.h"

/* For each point (n, 2): the segment (count, 4: x0, y0, x1, y1) that comes nearest, the first among equals, and where
 * on it in 0 .. 1. */
FM_WIDE static void fm_nearest(const double *points, ptrdiff_t n, const double *segments, ptrdiff_t count,
                               int32_t *which, double *where)
{
    for (ptrdiff_t i = 0; i < n; ++i) {
        double best = -1;
        for (ptrdiff_t s = 0; s < count; ++s) {
            const double *g = segments + 4 * s;
            const double dx = g[2] - g[0], dy = g[3] - g[1], px = points[2 * i] - g[0], py = points[2 * i + 1] - g[1];
            const double length = dx * dx + dy * dy;
            double t = length > 0 ? (px * dx + py * dy) / length : 0;
            t = t < 0 ? 0 : t > 1 ? 1 : t;
            const double ex = px - t * dx, ey = py - t * dy, distance = ex * ex + ey * ey;
            if (best < 0 || distance < best) {
                best = distance;
                which[i] = (int32_t)s;
                where[i] = t;
            }
        }
    }
}

#endif
