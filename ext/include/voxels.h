/* Volumes as lists of runs along z: which voxel centres lie in a closed mesh or behind a front surface.
 *
 * Voxel (z, y, x) has its centre at these whole numbers; a centre on the surface is inside (FM_ON: within a
 * millionth of a voxel along z, so that rounding does not undo the rule). */
#ifndef FACEMILL_VOXELS_H
#define FACEMILL_VOXELS_H

#include <stdlib.h>

#include "dispatch.h"
#include "edges.h"

#define FM_ON 1e-6

typedef struct {
    int32_t column;
    int32_t sign; /* +1 or -1 for a crossing at low; 0 for a stretch of surface from low to high */
    double low, high;
} fm_event;

typedef struct {
    fm_event *events;
    ptrdiff_t count, room;
    int failed;
} fm_events;

static void fm_push(fm_events *list, ptrdiff_t column, int sign, double low, double high)
{
    if (list->count == list->room) {
        const ptrdiff_t room = list->room ? 2 * list->room : 1 << 16;
        fm_event *grown = (fm_event *)realloc(list->events, (size_t)room * sizeof(fm_event));
        if (!grown) {
            list->failed = 1;
            return;
        }
        list->events = grown;
        list->room = room;
    }
    fm_event *e = list->events + list->count++;
    e->column = (int32_t)column;
    e->sign = sign;
    e->low = low;
    e->high = high;
}

/* Side of the line on which (x + epsilon, y + epsilon^2) lies: never 0 for an edge with length. */
static inline int fm_side(fm_edge e, double value)
{
    if (value != 0)
        return value > 0 ? 1 : -1;
    if (e.a != 0)
        return e.a > 0 ? 1 : -1;
    return e.b > 0 ? 1 : e.b < 0 ? -1 : 0;
}

/* z of a standing triangle above a point of its line on the ground: the range over its three edges. */
static void fm_standing(fm_events *list, const fm_triangle *t, ptrdiff_t x, ptrdiff_t y, ptrdiff_t column)
{
    const double *const corner[3] = {t->p, t->q, t->r};
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < 3; ++i) {
        const double *p = corner[i], *q = corner[(i + 1) % 3];
        const double dx = q[0] - p[0], dy = q[1] - p[1];
        double z0, z1;
        if (dx == 0 && dy == 0) {
            if (p[0] != (double)x || p[1] != (double)y)
                continue;
            z0 = p[2], z1 = q[2];
        } else {
            const double t = fabs(dx) >= fabs(dy) ? ((double)x - p[0]) / dx : ((double)y - p[1]) / dy;
            if (!(t >= 0 && t <= 1))
                continue;
            z0 = z1 = p[2] + t * (q[2] - p[2]);
        }
        low = fmin(low, fmin(z0, z1));
        high = fmax(high, fmax(z0, z1));
    }
    if (low <= high)
        fm_push(list, column, 0, low, high);
}

/* Every crossing of a voxel column with the mesh, and every stretch of surface that holds a voxel centre. */
FM_WIDE static void fm_crossings(const double *vertices, const int32_t *triangles, ptrdiff_t count,
                                 ptrdiff_t height, ptrdiff_t width, fm_events *list)
{
    for (ptrdiff_t n = 0; n < count; ++n) {
        const fm_triangle t = fm_place(vertices, triangles + 3 * n, height, width);
        if (fm_empty(t))
            continue;
        const fm_edges edges = fm_edges_of(vertices, t);
        const double area = fm_area(t.p, t.q, t.r);
        for (ptrdiff_t y = t.y0; y <= t.y1; ++y) {
            for (ptrdiff_t x = t.x0; x <= t.x1; ++x) {
                const fm_weights w = fm_weights_at(edges, x, y);
                if (!fm_within(w))
                    continue;
                const ptrdiff_t column = y * width + x;
                const double sum = w.p + w.q + w.r;
                if (area == 0 || sum == 0) {
                    fm_standing(list, &t, x, y, column);
                    continue;
                }
                const double z = fm_height(t, w, sum);
                const int side = fm_side(edges.p, w.p);
                if (side != 0 && side == fm_side(edges.q, w.q) && side == fm_side(edges.r, w.r))
                    fm_push(list, column, side, z, z);
                else
                    fm_push(list, column, 0, z, z);
            }
        }
    }
}

/* The events of each column together and by rising low: order (count) of event numbers, start (columns + 1) of where
 * each column's begin. Returns 0, or -1 when memory ran out. */
static int fm_by_column(const fm_events *list, ptrdiff_t columns, int32_t **order, int32_t **start)
{
    *start = (int32_t *)calloc((size_t)columns + 2, sizeof(int32_t));
    *order = (int32_t *)malloc(((size_t)list->count + 1) * sizeof(int32_t));
    if (!*start || !*order)
        return -1;
    int32_t *fill = *start + 1;
    for (ptrdiff_t i = 0; i < list->count; ++i)
        fill[list->events[i].column + 1] += 1;
    for (ptrdiff_t c = 0; c < columns; ++c)
        fill[c + 1] += fill[c];
    for (ptrdiff_t i = 0; i < list->count; ++i)
        (*order)[fill[list->events[i].column]++] = (int32_t)i;
    for (ptrdiff_t c = 0; c < columns; ++c) {
        int32_t *first = *order + (*start)[c];
        for (ptrdiff_t i = 1; i < (*start)[c + 1] - (*start)[c]; ++i) {
            const int32_t event = first[i];
            ptrdiff_t to = i;
            for (; to > 0 && list->events[first[to - 1]].low > list->events[event].low; --to)
                first[to] = first[to - 1];
            first[to] = event;
        }
    }
    return 0;
}

/* Adds the whole numbers from low to high, clipped to 0 .. depth - 1, to the toggle bits of a column: bit set where
 * the volume changes on the way up. *covered is the end of what this column holds already. */
static void fm_add_run(uint8_t *toggles, ptrdiff_t slice, ptrdiff_t byte, uint8_t bit, ptrdiff_t depth, double low,
                       double high, ptrdiff_t *covered)
{
    ptrdiff_t z0, z1;
    fm_span(low - FM_ON, high + FM_ON, depth, &z0, &z1);
    z1 += 1;
    if (z0 < *covered)
        z0 = *covered;
    if (z0 >= z1)
        return;
    toggles[z0 * slice + byte] ^= bit;
    toggles[z1 * slice + byte] ^= bit;
    *covered = z1;
}

/* toggles (depth + 1, height, pitch) become volume bits: slice z is the exclusive or of slices 0 .. z. */
FM_WIDE static void fm_accumulate(uint8_t *toggles, ptrdiff_t depth, ptrdiff_t slice)
{
    for (ptrdiff_t z = 1; z < depth; ++z) {
        const uint8_t *below = toggles + (z - 1) * slice;
        uint8_t *here = toggles + z * slice;
        for (ptrdiff_t i = 0; i < slice; ++i)
            here[i] ^= below[i];
    }
}

/* Fills bits (depth + 1, height, pitch), zero on entry, with the centres that a closed mesh winds around (winding
 * number not 0) or that lie on it. Returns 0, or -1 when memory ran out. */
static int fm_solid(const double *vertices, const int32_t *triangles, ptrdiff_t count, ptrdiff_t depth,
                    ptrdiff_t height, ptrdiff_t width, ptrdiff_t pitch, uint8_t *bits)
{
    fm_events list = {NULL, 0, 0, 0};
    int32_t *order = NULL, *start = NULL;
    fm_crossings(vertices, triangles, count, height, width, &list);
    const int failed = list.failed || fm_by_column(&list, height * width, &order, &start);
    for (ptrdiff_t column = 0; !failed && column < height * width; ++column) {
        const ptrdiff_t byte = (column / width) * pitch + (column % width) / 8;
        const uint8_t bit = (uint8_t)(128 >> ((column % width) % 8));
        ptrdiff_t covered = 0;
        int winding = 0;
        double entered = 0, last = 0;
        for (int32_t at = start[column]; at < start[column + 1]; ++at) {
            const fm_event e = list.events[order[at]];
            if (e.sign == 0 && winding == 0) {
                fm_add_run(bits, height * pitch, byte, bit, depth, e.low, e.high, &covered);
                continue;
            }
            if (winding == 0)
                entered = last = e.low;
            winding += e.sign;
            last = e.high > last ? e.high : last;
            if (winding == 0)
                fm_add_run(bits, height * pitch, byte, bit, depth, entered, last, &covered);
        }
        if (winding != 0)
            fm_add_run(bits, height * pitch, byte, bit, depth, entered, last, &covered);
    }
    free(list.events);
    free(order);
    free(start);
    fm_accumulate(bits, depth, height * pitch);
    return failed ? -1 : 0;
}

#endif
