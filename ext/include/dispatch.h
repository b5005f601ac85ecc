/* Run-time choice of instruction set: a function marked FM_WIDE is compiled for several x86-64 levels and the
 * loader takes the widest that the processor has. Elsewhere it is an ordinary function. None of the levels turns
 * on fused multiply-add by itself (setup.py passes -ffp-contract=off), so results do not depend on the level. */
#ifndef FACEMILL_DISPATCH_H
#define FACEMILL_DISPATCH_H

#include <stdint.h>

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__gnu_linux__)
#define FM_WIDE __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define FM_WIDE
#endif

#endif
