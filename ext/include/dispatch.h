/* Run-time choice of instruction set: a function marked FM_WIDE is compiled for several x86-64 levels and the
 * loader takes the widest that the processor has. Elsewhere it is an ordinary function. setup.py passes
 * -ffp-contract=off, so no level fuses a multiplication with an addition and all give the same results. */
#ifndef FACEMILL_DISPATCH_H
#define FACEMILL_DISPATCH_H

#include <stdint.h>

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) && defined(__gnu_linux__)
#if __GNUC__ >= 12
#define FM_WIDE __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define FM_WIDE __attribute__((target_clones("default", "avx2")))
#endif
#else
#define FM_WIDE
#endif

#endif
