/* The point of a triangle that is nearest to a point, degenerate triangles included. */
#ifndef FACEMILL_ON_TRIANGLE_H
#define FACEMILL_ON_TRIANGLE_H

static inline double fm_squared(const double *p, const double *q)
{
    const double x = p[0] - q[0], y = p[1] - q[1], z = p[2] - q[2];
    return x * x + y * y + z * z;
}

static inline double fm_dot(const double *p, const double *q)
{
    return p[0] * q[0] + p[1] * q[1] + p[2] * q[2];
}

static inline void fm_cross(const double *p, const double *q, double *out)
{
    out[0] = p[1] * q[2] - p[2] * q[1];
    out[1] = p[2] * q[0] - p[0] * q[2];
    out[2] = p[0] * q[1] - p[1] * q[0];
}

/* Takes the point of the segment from p to r that is nearest to q into `at` where it is nearer than `best`. */
static inline double fm_on_segment(const double *p, const double *r, const double *q, double *at, double best)
{
    double along[3], to[3], point[3];
    for (int k = 0; k < 3; ++k) {
        along[k] = r[k] - p[k];
        to[k] = q[k] - p[k];
    }
    const double length = fm_dot(along, along);
    double t = length > 0 ? fm_dot(to, along) / length : 0;
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    for (int k = 0; k < 3; ++k)
        point[k] = p[k] + t * along[k];
    const double squared = fm_squared(point, q);
    if (squared < best) {
        for (int k = 0; k < 3; ++k)
            at[k] = point[k];
        return squared;
    }
    return best;
}

/* Squared distance from q to the triangle with corners (3, 3), and the point there: the best of the foot of the
 * perpendicular, where that is inside, and of the nearest points of the three edges. Every candidate lies on the
 * triangle, so a needle whose foot is imprecise still has its edges. */
static inline double fm_on_triangle(const double *corners, const double *q, double *at)
{
    const double *a = corners, *b = corners + 3, *c = corners + 6;
    double ab[3], ac[3], aq[3], normal[3], side[3];
    double best = fm_squared(a, q);
    for (int k = 0; k < 3; ++k) {
        ab[k] = b[k] - a[k];
        ac[k] = c[k] - a[k];
        aq[k] = q[k] - a[k];
        at[k] = a[k];
    }
    best = fm_on_segment(a, b, q, at, best);
    best = fm_on_segment(b, c, q, at, best);
    best = fm_on_segment(c, a, q, at, best);
    fm_cross(ab, ac, normal);
    const double area = fm_dot(normal, normal);
    if (area > 0) {
        fm_cross(aq, ac, side);
        const double v = fm_dot(side, normal) / area;
        fm_cross(ab, aq, side);
        const double w = fm_dot(side, normal) / area;
        if (v >= 0 && w >= 0 && v + w <= 1) {
            double foot[3];
            for (int k = 0; k < 3; ++k)
                foot[k] = a[k] + v * ab[k] + w * ac[k];
            const double squared = fm_squared(foot, q);
            if (squared < best) {
                best = squared;
                for (int k = 0; k < 3; ++k)
                    at[k] = foot[k];
            }
        }
    }
    return best;
}

#endif
