"""The flow of the neuron of Cressman et al. 2009, from its equations in numpy."""

import numpy as np


def by_hand(v, n, h, k_o, na_i, ca, k_bath=8.0):
    """d/dt of all six [1/ms]."""
    linoid = lambda x: 1.0 if x == 0 else x / -np.expm1(-x)
    a_m, b_m = linoid((v + 30) / 10), 4 * np.exp(-(v + 55) / 18)
    a_n, b_n = 0.1 * linoid((v + 34) / 10), 0.125 * np.exp(-(v + 44) / 80)
    a_h, b_h = 0.07 * np.exp(-(v + 44) / 20), 1 / (1 + np.exp(-(v + 14) / 10))
    k_i, na_o, m = 158 - na_i, 144 - 7 * (na_i - 18), a_m / (a_m + b_m)
    e = lambda o, i: 26.64 * np.log(o / i)
    i_na = (100 * m**3 * h + 0.0175) * (v - e(na_o, na_i))
    i_k = (40 * n**4 + 0.01 * ca / (1 + ca) + 0.05) * (v - e(k_o, k_i))
    i_cl = 0.05 * (v - e(6, 130))
    pump = 1.25 / (1 + np.exp((25 - na_i) / 3)) / (1 + np.exp(5.5 - k_o))
    glia = 200 / 3 / (1 + np.exp((18 - k_o) / 2.5))
    return [
        -i_na - i_k - i_cl,
        3 * (a_n * (1 - n) - b_n * n),
        3 * (a_h * (1 - h) - b_h * h),
        (0.044494542 * 7 * i_k - 14 * pump - glia - 4 / 3 * (k_o - k_bath)) / 1000,
        (-0.044494542 * i_na - 3 * pump) / 1000,
        -0.0002 * (v - 120) / (1 + np.exp(-(v + 25) / 2.5)) - ca / 80,
    ]
