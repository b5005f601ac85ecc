/* Edge functions that two neighbouring triangles evaluate to exactly opposite values.
 *
 * The line through vertices p and q is e(x, y) = a x + b y + c. It is always computed from the vertex with the
 * smaller number to the one with the larger and negated when asked for the other way, so the two triangles on
 * either side of an edge round alike: with inclusive tests no pixel centre falls between them. */
#ifndef FACEMILL_EDGES_H
#define FACEMILL_EDGES_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    double a, b, c;
} fm_edge;

/* Twice the signed area that (p, q, (x, y)) spans is e(x, y). vertices: (n, stride) with x, y first. */
static inline fm_edge fm_make_edge(const double *vertices, ptrdiff_t stride, int32_t p, int32_t q)
{
    const int swapped = p > q;
    const double *u = vertices + stride * (swapped ? q : p), *v = vertices + stride * (swapped ? p : q);
    fm_edge e;
    e.a = -(v[1] - u[1]);
    e.b = v[0] - u[0];
    e.c = -(e.a * u[0] + e.b * u[1]);
    if (swapped) {
        e.a = -e.a;
        e.b = -e.b;
        e.c = -e.c;
    }
    return e;
}

static inline double fm_edge_at(fm_edge e, double x, double y)
{
    return e.a * x + e.b * y + e.c;
}

static inline double fm_min3(double a, double b, double c)
{
    const double m = a < b ? a : b;
    return m < c ? m : c;
}

static inline double fm_max3(double a, double b, double c)
{
    const double m = a > b ? a : b;
    return m > c ? m : c;
}

/* Integers i with low <= i <= high, clipped to 0 .. size - 1; first > last where there are none or a bound is
 * not a number. */
static inline void fm_span(double low, double high, ptrdiff_t size, ptrdiff_t *first, ptrdiff_t *last)
{
    *first = 0;
    *last = -1;
    if (!(low <= high) || high < 0 || low > (double)(size - 1))
        return;
    *first = low <= 0 ? 0 : (ptrdiff_t)ceil(low);
    *last = high >= (double)(size - 1) ? size - 1 : (ptrdiff_t)floor(high);
}

#endif
