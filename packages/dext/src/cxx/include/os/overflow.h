// Arithmetic that says when it overflowed: true when it did.
#pragma once
#define os_add_overflow(a, b, res) __builtin_add_overflow((a), (b), (res))
#define os_sub_overflow(a, b, res) __builtin_sub_overflow((a), (b), (res))
#define os_mul_overflow(a, b, res) __builtin_mul_overflow((a), (b), (res))
#define os_add3_overflow(a, b, c, res)                                   \
    ({                                                                   \
        __typeof__(*(res)) drydockSum;                                   \
        bool drydockFirst = os_add_overflow((a), (b), &drydockSum);      \
        bool drydockSecond = os_add_overflow(drydockSum, (c), (res));    \
        drydockFirst || drydockSecond;                                   \
    })
#define os_mul_and_add_overflow(a, x, b, res)                            \
    ({                                                                   \
        __typeof__(*(res)) drydockProduct;                               \
        bool drydockFirst = os_mul_overflow((a), (x), &drydockProduct);  \
        bool drydockSecond = os_add_overflow(drydockProduct, (b), (res)); \
        drydockFirst || drydockSecond;                                   \
    })
#define os_convert_overflow(a, res) os_add_overflow((a), 0, (res))
