/* Texel values by table: every texel names three vertices and two weights, so a map is one pass over the texels. */
#ifndef FACEMILL_GATHER_H
#define FACEMILL_GATHER_H

#include <stddef.h>
#include <stdint.h>

#include "dispatch.h"

/* Four floats wherever they lie. The fourth belongs to the next vertex or texel and is ignored or overwritten. */
typedef float fm_four __attribute__((vector_size(16), aligned(4), may_alias));

static inline fm_four fm_texel(const int32_t *corner, const float *weight, const float *values)
{
    const fm_four a = *(const fm_four *)(values + 3 * (ptrdiff_t)corner[0]);
    const fm_four b = *(const fm_four *)(values + 3 * (ptrdiff_t)corner[1]);
    const fm_four c = *(const fm_four *)(values + 3 * (ptrdiff_t)corner[2]);
    return a + weight[0] * (b - a) + weight[1] * (c - a);
}

/* out (last - first, channels) = a + w0 (b - a) + w1 (c - a), where a, b, c are the rows of values (n, channels) that
 * corner (texels, 3) names and w is weight (texels, 2), for the texels first .. last - 1. */
FM_WIDE static void fm_gather(const int32_t *restrict corner, const float *restrict weight, ptrdiff_t first,
                              ptrdiff_t last, const float *restrict values, ptrdiff_t channels,
                              float *restrict out)
{
    for (ptrdiff_t p = first; p < last; ++p, out += channels) {
        const float *a = values + channels * (ptrdiff_t)corner[3 * p],
                    *b = values + channels * (ptrdiff_t)corner[3 * p + 1],
                    *c = values + channels * (ptrdiff_t)corner[3 * p + 2];
        for (ptrdiff_t k = 0; k < channels; ++k)
            out[k] = a[k] + weight[2 * p] * (b[k] - a[k]) + weight[2 * p + 1] * (c[k] - a[k]);
    }
}

/* The same for three channels and texels first .. last - 1, out beginning at the first; one float beyond the last is
 * written too. */
FM_WIDE static void fm_gather3_range(const int32_t *restrict corner, const float *restrict weight, ptrdiff_t first,
                                     ptrdiff_t last, const float *restrict values, float *restrict out)
{
    for (ptrdiff_t p = first; p < last; ++p)
        *(fm_four *)(out + 3 * (p - first)) = fm_texel(corner + 3 * p, weight + 2 * p, values);
}

/* A whole map of three channels. slow names, ascending, the texels that must not touch a fourth float: those with the
 * last vertex among their corners, and the last texel. */
static void fm_gather3(const int32_t *corner, const float *weight, ptrdiff_t texels, const int32_t *slow,
                       const float *values, float *out)
{
    for (ptrdiff_t p = 0; p < texels; ++slow) {
        fm_gather3_range(corner, weight, p, *slow, values, out + 3 * p);
        p = *slow + 1;
        fm_gather(corner, weight, p - 1, p, values, 3, out + 3 * (p - 1));
    }
}

/* codes (n) = values scale, rounded to the nearest whole number (half to even), + offset. Returns how many do not fit
 * 0 .. 65535 (or are not a number); these are held at the nearer end. Rounding before the offset is added keeps every
 * digit; adding and taking away 1.5 x 2^23 rounds a float of less than 2^22. */
FM_WIDE static ptrdiff_t fm_codes(const float *restrict values, ptrdiff_t n, float scale, int32_t offset,
                                  uint16_t *restrict codes)
{
    const float low = (float)-offset, high = (float)(65535 - offset), round = 12582912.0f;
    int32_t outside = 0;
    for (ptrdiff_t i = 0; i < n; ++i) {
        float code = values[i] * scale;
        outside += !((code >= low - 0.5f) & (code < high + 0.5f));
        code = code > low ? code : low;
        code = code < high ? code : high;
        codes[i] = (uint16_t)((int32_t)((code + round) - round) + offset);
    }
    return outside;
}

#define FM_TILE 1024

/* fm_gather3 into 16-bit codes, in tiles that stay in the first cache. Returns how many values do not fit. */
static ptrdiff_t fm_gather3_codes(const int32_t *corner, const float *weight, ptrdiff_t texels,
                                  const int32_t *slow, const float *values, float scale, int32_t offset,
                                  uint16_t *out)
{
    float tile[3 * FM_TILE + 1];
    ptrdiff_t outside = 0, p = 0;
    for (ptrdiff_t first = 0; first < texels; first += FM_TILE) {
        const ptrdiff_t end = first + FM_TILE < texels ? first + FM_TILE : texels;
        while (p < end) {
            const ptrdiff_t stop = *slow < end ? *slow : end;
            fm_gather3_range(corner, weight, p, stop, values, tile + 3 * (p - first));
            p = stop;
            if (p < end) {
                fm_gather(corner, weight, p, p + 1, values, 3, tile + 3 * (p - first));
                ++p;
                ++slow;
            }
        }
        outside += fm_codes(tile, 3 * (end - first), scale, offset, out + 3 * first);
    }
    return outside;
}

#endif
