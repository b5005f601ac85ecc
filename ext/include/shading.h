/* Vertex normals and Phong shading. */
#ifndef FACEMILL_SHADING_H
#define FACEMILL_SHADING_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "dispatch.h"

/* normals (n, 3), zero on entry: sum of the area-weighted face normals (q - p) x (r - p), then unit length; a vertex
 * without area around it keeps (0, 0, 0). */
FM_WIDE static void fm_normals(const double *vertices, ptrdiff_t n, const int32_t *triangles, ptrdiff_t count,
                       double *normals)
{
    for (ptrdiff_t t = 0; t < count; ++t) {
        const ptrdiff_t i = 3 * (ptrdiff_t)triangles[3 * t], j = 3 * (ptrdiff_t)triangles[3 * t + 1],
                        k = 3 * (ptrdiff_t)triangles[3 * t + 2];
        const double ux = vertices[j] - vertices[i], uy = vertices[j + 1] - vertices[i + 1],
                     uz = vertices[j + 2] - vertices[i + 2];
        const double vx = vertices[k] - vertices[i], vy = vertices[k + 1] - vertices[i + 1],
                     vz = vertices[k + 2] - vertices[i + 2];
        const double nx = uy * vz - uz * vy, ny = uz * vx - ux * vz, nz = ux * vy - uy * vx;
        normals[i] += nx, normals[i + 1] += ny, normals[i + 2] += nz;
        normals[j] += nx, normals[j + 1] += ny, normals[j + 2] += nz;
        normals[k] += nx, normals[k + 1] += ny, normals[k + 2] += nz;
    }
    for (ptrdiff_t v = 0; v < n; ++v) {
        double *m = normals + 3 * v;
        const double length = sqrt(m[0] * m[0] + m[1] * m[1] + m[2] * m[2]);
        if (length > 0) {
            m[0] /= length;
            m[1] /= length;
            m[2] /= length;
        }
    }
}

/* colours (n, 3) = albedo (ambient + sum_l rgb_l max(0, n.l)) + specular_n sum_l rgb_l max(0, r.v)^shininess, where
 * r = 2 (n.l) n - l mirrors the light direction and the highlight needs n.l > 0. lights (count, 6): unit direction
 * towards the light, rgb; view: unit direction towards the eye. */
FM_WIDE static void fm_shade(const double *normals, const double *albedo, const double *specular, ptrdiff_t n,
                     const double *ambient, const double *lights, ptrdiff_t count, const double *view,
                     double shininess, float *colours)
{
    for (ptrdiff_t i = 0; i < n; ++i) {
        const double *m = normals + 3 * i;
        const double facing = m[0] * view[0] + m[1] * view[1] + m[2] * view[2];
        double diffuse[3] = {ambient[0], ambient[1], ambient[2]}, shine[3] = {0, 0, 0};
        for (ptrdiff_t l = 0; l < count; ++l) {
            const double *d = lights + 6 * l;
            const double toward = m[0] * d[0] + m[1] * d[1] + m[2] * d[2];
            if (!(toward > 0))
                continue;
            const double along = d[0] * view[0] + d[1] * view[1] + d[2] * view[2];
            const double mirrored = 2 * toward * facing - along;
            const double gloss = specular[i] != 0 && mirrored > 0 ? pow(mirrored, shininess) : 0;
            for (int c = 0; c < 3; ++c) {
                diffuse[c] += d[3 + c] * toward;
                shine[c] += d[3 + c] * gloss;
            }
        }
        for (int c = 0; c < 3; ++c)
            colours[3 * i + c] = (float)(albedo[3 * i + c] * diffuse[c] + specular[i] * shine[c]);
    }
}

#endif
