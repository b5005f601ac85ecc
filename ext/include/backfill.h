/* The volume behind a front surface, turned with the head, and the forms in which volumes are kept. */
#ifndef FACEMILL_BACKFILL_H
#define FACEMILL_BACKFILL_H

#include "voxels.h"

/* depth (height, width), -infinity on entry, becomes the nearest z at each grid point. */
FM_WIDE static void fm_front(const double *vertices, const int32_t *triangles, ptrdiff_t count, double *depth,
                             ptrdiff_t height, ptrdiff_t width)
{
    for (ptrdiff_t n = 0; n < count; ++n) {
        const fm_triangle t = fm_place(vertices, triangles + 3 * n, height, width);
        if (fm_empty(t))
            continue;
        const fm_edges edges = fm_edges_of(vertices, t);
        for (ptrdiff_t y = t.y0; y <= t.y1; ++y) {
            for (ptrdiff_t x = t.x0; x <= t.x1; ++x) {
                const fm_weights w = fm_weights_at(edges, x, y);
                const double sum = w.p + w.q + w.r;
                if (sum == 0 || !fm_within(w))
                    continue;
                const double z = fm_height(t, w, sum);
                if (z > depth[y * width + x])
                    depth[y * width + x] = z;
            }
        }
    }
}

/* Where a voxel stands: turn (3, 3) takes (x - centre, y - centre, (z - centre) / stretch) to the frontal frame. */
typedef struct {
    double turn[9], centre[3], stretch;
} fm_pose;

/* Is a point with -1 < x < width, -1 < y < height behind the surface? depth is read bilinearly from the grid points that have a surface, if these make
 * up at least half of the weight. */
static inline int fm_behind(const double *depth, ptrdiff_t height, ptrdiff_t width, double x, double y, double z)
{
    const ptrdiff_t left = (ptrdiff_t)floor(x), top = (ptrdiff_t)floor(y);
    const double fx = x - (double)left, fy = y - (double)top;
    double weight = 0, value = 0;
    for (int i = 0; i < 4; ++i) {
        const ptrdiff_t col = left + (i & 1), row = top + (i >> 1);
        if (col < 0 || row < 0 || col >= width || row >= height)
            continue;
        const double w = (i & 1 ? fx : 1 - fx) * (i >> 1 ? fy : 1 - fy), d = depth[row * width + col];
        if (w == 0 || d == -INFINITY)
            continue;
        weight += w;
        value += w * d;
    }
    return weight >= 0.5 && z * weight <= value + FM_ON;
}

/* The range of the depths at the four corners of a grid cell: every point of the cell that is nearer than high is in
 * front of the surface, every point farther than low behind it. low is -infinity unless all corners have a surface. */
typedef struct {
    double low, high;
} fm_cell;

/* cells (rows + 1, cols + 1): the cell between grid points (row - 1, col - 1) and (row, col). */
static void fm_cells(const double *depth, ptrdiff_t rows, ptrdiff_t cols, fm_cell *cells)
{
    for (ptrdiff_t row = 0; row <= rows; ++row) {
        for (ptrdiff_t col = 0; col <= cols; ++col) {
            fm_cell cell = {INFINITY, -INFINITY};
            for (int i = 0; i < 4; ++i) {
                const ptrdiff_t r = row - (i >> 1), c = col - (i & 1);
                const double d = r < 0 || c < 0 || r >= rows || c >= cols ? -INFINITY : depth[r * cols + c];
                cell.low = d < cell.low ? d : cell.low;
                cell.high = d > cell.high ? d : cell.high;
            }
            cells[row * (cols + 1) + col] = cell;
        }
    }
}

/* Sets in bits (depth, height, pitch) the voxels from first (z, y, x) to before last (z, y, x) that lie between the
 * plane z = back of the frontal frame and the front surface given on a grid whose first point is origin (x, y).
 * cells: of fm_cells; most voxels are decided by them alone, with a margin beyond any rounding. */
FM_WIDE static void fm_backfill(const double *front, const fm_cell *cells, ptrdiff_t rows, ptrdiff_t cols,
                                const double *origin, const fm_pose *pose, double back, const ptrdiff_t *first,
                                const ptrdiff_t *last, ptrdiff_t height, ptrdiff_t pitch, uint8_t *bits)
{
    const double *m = pose->turn, margin = 10 * FM_ON;
    for (ptrdiff_t z = first[0]; z < last[0]; ++z) {
        const double pz = ((double)z - pose->centre[2]) / pose->stretch;
        for (ptrdiff_t y = first[1]; y < last[1]; ++y) {
            const double py = (double)y - pose->centre[1];
            uint8_t *row = bits + (z * height + y) * pitch;
            for (ptrdiff_t x = first[2]; x < last[2]; ++x) {
                const double px = (double)x - pose->centre[0];
                const double fz = m[6] * px + m[7] * py + m[8] * pz;
                const double fx = m[0] * px + m[1] * py + m[2] * pz - origin[0];
                const double fy = m[3] * px + m[4] * py + m[5] * pz - origin[1];
                if (fz < back - FM_ON || !(fx > -1 && fx < (double)cols && fy > -1 && fy < (double)rows))
                    continue;
                const fm_cell cell = cells[((ptrdiff_t)(fy + 1)) * (cols + 1) + (ptrdiff_t)(fx + 1)];
                if (fz > cell.high + margin)
                    continue;
                if (fz < cell.low - margin || fm_behind(front, rows, cols, fx, fy, fz))
                    row[x / 8] |= (uint8_t)(128 >> (x % 8));
            }
        }
    }
}

/* columns (height, width, 2), zero on entry, becomes [first, end) of each column's first run in bits (depth, height,
 * pitch). Returns how many columns have a second run. */
static ptrdiff_t fm_columns(const uint8_t *bits, ptrdiff_t depth, ptrdiff_t height, ptrdiff_t width, ptrdiff_t pitch,
                            uint8_t *columns, uint8_t *several)
{
    const ptrdiff_t slice = height * pitch;
    for (ptrdiff_t z = 0; z <= depth; ++z) {
        for (ptrdiff_t i = 0; i < slice; ++i) {
            const uint8_t here = z < depth ? bits[z * slice + i] : 0, below = z ? bits[(z - 1) * slice + i] : 0;
            for (uint8_t change = here ^ below; change; change &= (uint8_t)(change - 1)) {
                const int place = 7 - __builtin_ctz(change);
                const ptrdiff_t column = (i / pitch) * width + 8 * (i % pitch) + place;
                if (here & (128 >> place)) {
                    if (columns[2 * column + 1])
                        several[column] = 1;
                    else
                        columns[2 * column] = (uint8_t)z;
                } else if (!several[column]) {
                    columns[2 * column + 1] = (uint8_t)z;
                }
            }
        }
    }
    ptrdiff_t count = 0;
    for (ptrdiff_t column = 0; column < height * width; ++column)
        count += several[column];
    return count;
}

/* volume (depth, cells) of 0 and 1 from columns (cells, 2) of [first, end). */
FM_WIDE static void fm_expand_columns(const uint8_t *restrict columns, ptrdiff_t cells, ptrdiff_t depth,
                                      uint8_t *restrict volume)
{
    for (ptrdiff_t z = 0; z < depth; ++z)
        for (ptrdiff_t i = 0; i < cells; ++i)
            volume[z * cells + i] = (uint8_t)((columns[2 * i] <= z) & (z < columns[2 * i + 1]));
}

#endif
