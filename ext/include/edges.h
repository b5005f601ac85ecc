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

/* The same line, run the other way. */
static inline fm_edge fm_opposite(fm_edge e)
{
    return (fm_edge){-e.a, -e.b, -e.c};
}

/* Twice the signed area that (p, q, (x, y)) spans is e(x, y). vertices: (n, stride) with x, y first. */
static inline fm_edge fm_make_edge(const double *vertices, ptrdiff_t stride, int32_t p, int32_t q)
{
    const int swapped = p > q;
    const double *u = vertices + stride * (swapped ? q : p), *v = vertices + stride * (swapped ? p : q);
    fm_edge e;
    e.a = -(v[1] - u[1]);
    e.b = v[0] - u[0];
    e.c = -(e.a * u[0] + e.b * u[1]);
    return swapped ? fm_opposite(e) : e;
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

/* A triangle over a grid of pixel centres: its vertices (x, y, z), and the pixels that its box covers. */
typedef struct {
    int32_t i, j, k;
    const double *p, *q, *r;
    ptrdiff_t x0, x1, y0, y1;
} fm_triangle;

/* Its edge functions: each is the weight of the vertex across, times twice the signed area. */
typedef struct {
    fm_edge p, q, r;
} fm_edges;

typedef struct {
    double p, q, r;
} fm_weights;

/* The triangle whose vertex numbers begin at numbers; its box is clipped to height rows and width columns. */
static inline fm_triangle fm_place(const double *vertices, const int32_t *numbers, ptrdiff_t height, ptrdiff_t width)
{
    fm_triangle t = {.i = numbers[0], .j = numbers[1], .k = numbers[2]};
    t.p = vertices + 3 * (ptrdiff_t)t.i;
    t.q = vertices + 3 * (ptrdiff_t)t.j;
    t.r = vertices + 3 * (ptrdiff_t)t.k;
    fm_span(fm_min3(t.p[1], t.q[1], t.r[1]), fm_max3(t.p[1], t.q[1], t.r[1]), height, &t.y0, &t.y1);
    fm_span(fm_min3(t.p[0], t.q[0], t.r[0]), fm_max3(t.p[0], t.q[0], t.r[0]), width, &t.x0, &t.x1);
    return t;
}

/* Does the box hold no pixel centre? */
static inline int fm_empty(fm_triangle t)
{
    return t.y0 > t.y1 || t.x0 > t.x1;
}

/* Twice the signed area of (p, q, r) in x and y. */
static inline double fm_area(const double *p, const double *q, const double *r)
{
    return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]);
}

static inline fm_edges fm_edges_of(const double *vertices, fm_triangle t)
{
    return (fm_edges){fm_make_edge(vertices, 3, t.j, t.k), fm_make_edge(vertices, 3, t.k, t.i),
                      fm_make_edge(vertices, 3, t.i, t.j)};
}

static inline fm_weights fm_weights_at(fm_edges e, ptrdiff_t x, ptrdiff_t y)
{
    return (fm_weights){fm_edge_at(e.p, (double)x, (double)y), fm_edge_at(e.q, (double)x, (double)y),
                        fm_edge_at(e.r, (double)x, (double)y)};
}

/* Does a point with these weights lie in the triangle or on its rim, whichever way the triangle runs? */
static inline int fm_within(fm_weights w)
{
    return (w.p >= 0 && w.q >= 0 && w.r >= 0) || (w.p <= 0 && w.q <= 0 && w.r <= 0);
}

/* z of the triangle at a point with these weights, whose sum is not 0. */
static inline double fm_height(fm_triangle t, fm_weights w, double sum)
{
    return t.p[2] + (w.q * (t.q[2] - t.p[2]) + w.r * (t.r[2] - t.p[2])) / sum;
}

#endif
