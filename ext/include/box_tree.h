/* A balanced tree of axis-aligned boxes over points or triangles, and the exact search for the item nearest to a point.
 *
 * An item has 1 or 3 corners. The tree is implicit: `leaves` is a power of two, node k has the children 2k + 1 and
 * 2k + 2, and leaf j holds the places j items / leaves .. (j + 1) items / leaves - 1 of `order`. */
#ifndef FACEMILL_BOX_TREE_H
#define FACEMILL_BOX_TREE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatch.h"
#include "on_triangle.h"

typedef struct {
    double *boxes;   /* (2 leaves - 1, 6): least and greatest x, y, z of a node's items */
    int32_t *order;  /* (items): the item at each place */
    double *corners; /* (items, 3 sides): the items' corners, by place */
    ptrdiff_t items, leaves;
    int sides; /* corners of an item: 1 or 3 */
} fm_tree;

/* The centre of an item, while the tree is made. */
typedef struct {
    double at[3];
    int64_t item;
} fm_centre;

/* Puts the `middle` items of row (n) that come first along an axis before the others. */
static void fm_select(fm_centre *row, ptrdiff_t n, ptrdiff_t middle, int axis)
{
    ptrdiff_t low = 0, high = n - 1;
    while (low < high) {
        const double first = row[low].at[axis], last = row[high].at[axis], centre = row[(low + high) / 2].at[axis];
        const double least = first < last ? first : last, most = first < last ? last : first;
        const double pivot = centre < least ? least : centre > most ? most : centre;
        ptrdiff_t i = low, j = high;
        while (i <= j) {
            while (row[i].at[axis] < pivot)
                ++i;
            while (row[j].at[axis] > pivot)
                --j;
            if (i <= j) {
                const fm_centre swap = row[i];
                row[i++] = row[j];
                row[j--] = swap;
            }
        }
        if (middle <= j)
            high = j;
        else if (middle >= i)
            low = i;
        else
            return;
    }
}

/* The axis along which the centres of row (n) spread most. */
static int fm_widest(const fm_centre *row, ptrdiff_t n)
{
    double low[3] = {INFINITY, INFINITY, INFINITY}, high[3] = {-INFINITY, -INFINITY, -INFINITY};
    for (ptrdiff_t i = 0; i < n; ++i)
        for (int k = 0; k < 3; ++k) {
            low[k] = row[i].at[k] < low[k] ? row[i].at[k] : low[k];
            high[k] = row[i].at[k] > high[k] ? row[i].at[k] : high[k];
        }
    const int axis = high[1] - low[1] > high[0] - low[0] ? 1 : 0;
    return high[2] - low[2] > high[axis] - low[axis] ? 2 : axis;
}

/* The box of the corners at places first .. end - 1. */
static void fm_enclose(const fm_tree *tree, ptrdiff_t first, ptrdiff_t end, double *box)
{
    for (int k = 0; k < 3; ++k) {
        box[k] = INFINITY;
        box[3 + k] = -INFINITY;
    }
    for (ptrdiff_t row = first * tree->sides; row < end * tree->sides; ++row)
        for (int k = 0; k < 3; ++k) {
            const double x = tree->corners[3 * row + k];
            box[k] = x < box[k] ? x : box[k];
            box[3 + k] = x > box[3 + k] ? x : box[3 + k];
        }
}

/* Fills the tree. items (items, 3 sides): the corners; centres (items), which it puts in the tree's order. */
static void fm_plant(fm_tree *tree, const double *items, fm_centre *centres)
{
    const ptrdiff_t n = tree->items, width = 3 * tree->sides;
    for (ptrdiff_t nodes = 1; nodes < tree->leaves; nodes *= 2)
        for (ptrdiff_t j = 0; j < nodes; ++j) {
            fm_centre *row = centres + j * n / nodes;
            const ptrdiff_t count = (j + 1) * n / nodes - j * n / nodes;
            fm_select(row, count, (2 * j + 1) * n / (2 * nodes) - j * n / nodes, fm_widest(row, count));
        }
    for (ptrdiff_t place = 0; place < n; ++place) {
        tree->order[place] = (int32_t)centres[place].item;
        for (ptrdiff_t k = 0; k < width; ++k)
            tree->corners[width * place + k] = items[width * (ptrdiff_t)tree->order[place] + k];
    }
    for (ptrdiff_t j = 0; j < tree->leaves; ++j)
        fm_enclose(tree, j * n / tree->leaves, (j + 1) * n / tree->leaves, tree->boxes + 6 * (tree->leaves - 1 + j));
    for (ptrdiff_t node = tree->leaves - 2; node >= 0; --node) {
        const double *left = tree->boxes + 6 * (2 * node + 1), *right = left + 6;
        double *box = tree->boxes + 6 * node;
        for (int k = 0; k < 3; ++k) {
            box[k] = left[k] < right[k] ? left[k] : right[k];
            box[3 + k] = left[3 + k] > right[3 + k] ? left[3 + k] : right[3 + k];
        }
    }
}

/* Inlined into every version of the function that uses it, so that its loops get that version's instructions. */
#define FM_INLINE static inline __attribute__((always_inline))

/* FM_LANES queries that go down the tree together, and what each has found nearest so far. */
#define FM_LANES 8

typedef struct {
    double q[3][FM_LANES];
    double squared[FM_LANES];
    int32_t item[FM_LANES];
    double at[FM_LANES][3]; /* the point of the item; kept for triangles only */
} fm_packet;

/* Squared distances of the queries to a box; returns whether an item in it could be any query's nearest. Rounded like
 * the distance to a point in the box, so never above that. */
FM_INLINE int fm_reach(const fm_packet *packet, const double *box, double *squared)
{
    int any = 0;
    for (int l = 0; l < FM_LANES; ++l) {
        double gap[3];
        for (int k = 0; k < 3; ++k) {
            const double below = box[k] - packet->q[k][l], above = packet->q[k][l] - box[3 + k];
            const double outside = below > above ? below : above;
            gap[k] = outside > 0 ? outside : 0;
        }
        squared[l] = gap[0] * gap[0] + gap[1] * gap[1] + gap[2] * gap[2];
        any |= squared[l] <= packet->squared[l];
    }
    return any;
}

/* The same for the point p. Kept a loop, or it would be unrolled before it can be made wide. */
FM_INLINE int fm_near(const fm_packet *packet, const double *p, double *squared)
{
    int any = 0;
#pragma GCC unroll 1
    for (int l = 0; l < FM_LANES; ++l) {
        const double x = p[0] - packet->q[0][l], y = p[1] - packet->q[1][l], z = p[2] - packet->q[2][l];
        squared[l] = x * x + y * y + z * z;
        any |= squared[l] <= packet->squared[l];
    }
    return any;
}

/* Takes an item where it is nearer, or equally near with a smaller number. `at` may be NULL. */
static inline void fm_take(fm_packet *packet, int lane, double squared, int32_t item, const double *at)
{
    if (squared < packet->squared[lane] || (squared == packet->squared[lane] && item < packet->item[lane])) {
        packet->squared[lane] = squared;
        packet->item[lane] = item;
        for (int k = 0; at && k < 3; ++k)
            packet->at[lane][k] = at[k];
    }
}

static inline void fm_take_triangle(fm_packet *packet, int lane, const double *corners, int32_t item)
{
    const double q[3] = {packet->q[0][lane], packet->q[1][lane], packet->q[2][lane]};
    double at[3];
    const double squared = fm_on_triangle(corners, q, at);
    fm_take(packet, lane, squared, item, at);
}

/* Offers the items of a leaf to the packet; `reach`: the squared distances of the queries to its box. */
FM_INLINE void fm_visit(const fm_tree *tree, int sides, ptrdiff_t leaf, fm_packet *packet, double *reach)
{
    const ptrdiff_t end = (leaf + 1) * tree->items / tree->leaves;
    for (ptrdiff_t place = leaf * tree->items / tree->leaves; place < end; ++place) {
        const double *corners = tree->corners + 3 * sides * place;
        if (sides == 3) {
            for (int l = 0; l < FM_LANES; ++l)
                if (reach[l] <= packet->squared[l])
                    fm_take_triangle(packet, l, corners, tree->order[place]);
        } else if (fm_near(packet, corners, reach)) {
            for (int l = 0; l < FM_LANES; ++l)
                fm_take(packet, l, reach[l], tree->order[place], NULL);
        }
    }
}

FM_INLINE void fm_descend(const fm_tree *tree, int sides, fm_packet *packet)
{
    ptrdiff_t waiting[64];
    double one[FM_LANES], other[FM_LANES];
    int depth = 0;
    waiting[depth++] = 0;
    while (depth > 0) {
        ptrdiff_t node = waiting[--depth];
        int some = fm_reach(packet, tree->boxes + 6 * node, one);
        while (some && node < tree->leaves - 1) {
            const double *left = tree->boxes + 6 * (2 * node + 1);
            const int go_left = fm_reach(packet, left, one), go_right = fm_reach(packet, left + 6, other);
            double lead = 0;
            for (int l = 0; l < FM_LANES; ++l)
                lead += one[l] - other[l];
            const int right = go_right && (!go_left || lead > 0);
            if (go_left && go_right)
                waiting[depth++] = 2 * node + 2 - right;
            some = go_left || go_right;
            node = 2 * node + 1 + right;
        }
        if (some) {
            fm_reach(packet, tree->boxes + 6 * node, one);
            fm_visit(tree, sides, node - (tree->leaves - 1), packet, one);
        }
    }
}

/* For each of the queries (n, 3): its nearest item, squared distance and, for triangles, the point there. On entry
 * `item` holds where to begin, or -1 for where the packet before ended: the answer does not depend on it, the time
 * does. items as in fm_plant. */
FM_WIDE static void fm_closest(const fm_tree *tree, const double *items, const double *queries, ptrdiff_t n,
                               int32_t *item, double *squared, double *at)
{
    const int sides = tree->sides;
    int32_t before = 0;
    for (ptrdiff_t first = 0; first < n; first += FM_LANES) {
        fm_packet packet;
        for (int l = 0; l < FM_LANES; ++l) {
            const ptrdiff_t i = first + l < n ? first + l : n - 1;
            const int32_t start = item[i] < 0 ? before : item[i];
            const double *q = queries + 3 * i, *corners = items + 3 * sides * (ptrdiff_t)start;
            for (int k = 0; k < 3; ++k)
                packet.q[k][l] = q[k];
            packet.item[l] = start;
            packet.squared[l] = sides == 3 ? fm_on_triangle(corners, q, packet.at[l]) : fm_squared(corners, q);
        }
        if (sides == 3)
            fm_descend(tree, 3, &packet);
        else
            fm_descend(tree, 1, &packet);
        before = packet.item[0];
        for (int l = 0; l < FM_LANES && first + l < n; ++l) {
            item[first + l] = packet.item[l];
            squared[first + l] = packet.squared[l];
            for (int k = 0; sides == 3 && k < 3; ++k)
                at[3 * (first + l) + k] = packet.at[l][k];
        }
    }
}

#endif
