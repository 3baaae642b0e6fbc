"""The flows of three neurons with moving ions, in numpy; parameters as the reference files have them."""

import numpy as np


def linoid(x):
    return 1.0 if x == 0 else x / -np.expm1(-x)


def logistic(x):
    return 1 / (1 + np.exp(-x))


def cortical(v):
    """Opening and closing rates of m, h and n [1/ms]."""
    return (
        (linoid((v + 30) / 10), 4 * np.exp(-(v + 55) / 18)),
        (0.07 * np.exp(-(v + 44) / 20), logistic((v + 14) / 10)),
        (0.1 * linoid((v + 34) / 10), 0.125 * np.exp(-(v + 44) / 80)),
    )


def hubel_dahlem(p, y):
    """d/dt of V, n, k_i, cl_i, dk [1/s]; p["s"] says who regulates."""
    v, n, k_i, cl_i, dk = y
    (a_m, b_m), _, (a_n, b_n) = cortical(v)
    m, h = a_m / (a_m + b_m), 1 - logistic(6.5 * (n - 0.35))
    na_i = p["nai0"] + p["ki0"] - k_i - p["cli0"] + cl_i
    share = p["vi"] / p["ve"]
    na_e = p["nae0"] + share * (p["nai0"] - na_i)
    cl_e = p["cle0"] + share * (p["cli0"] - cl_i)
    k_e = p["ke0"] + share * (p["ki0"] - k_i) + dk
    e = lambda o, i: p["RT_over_F_mV"] * np.log(o / i)
    pump = p["Imax"] / (1 + np.exp((p["naP"] - na_i) / 3)) / (1 + np.exp(p["kP"] - k_e))
    i_na = (p["gNaL"] + p["gNa"] * m**3 * h) * (v - e(na_e, na_i)) + 3 * pump
    i_k = (p["gKL"] + p["gK"] * n**4) * (v - e(k_e, k_i)) - 2 * pump
    i_cl = p["gClL"] * (v - e(cl_i, cl_e))
    k2 = p["k1"] / (1 + np.exp((p["Kcr"] - k_e) / 1.09))
    glial, diffusive = -p["k1"] * dk - k2 * k_e * (p["B0"] + dk), p["lam"] * (p["kbath"] - k_e)
    return 1e3 * np.array(
        [
            -(i_na + i_k + i_cl - p["I_stim"]) / p["C"],
            p["phi"] * (a_n * (1 - n) - b_n * n),
            -p["conv"] * i_k / p["vi"],
            p["conv"] * i_cl / p["vi"],
            diffusive if p["s"] else glial,
        ]
    )


def hubel_ullah(p, y):
    """d/dt of V, n, h, amounts of K and Cl inside [fmol], volume inside [um3], [1/s]."""
    v, n, h, k, cl, volume = y
    (a_m, b_m), (a_h, b_h), (a_n, b_n) = cortical(v)
    m = a_m / (a_m + b_m)
    na = p["nnai0"] + p["nki0"] - k - p["ncli0"] + cl
    outer = {"na": p["nnae0"] + p["nnai0"] - na, "k": p["nke0"] + p["nki0"] - k, "cl": p["ncle0"] + p["ncli0"] - cl}
    inside, outside = 1e3 / volume, 1e3 / (p["vtot"] - volume)
    e = lambda o, i: p["RT_over_F_mV"] * np.log(o * outside / (i * inside))
    pump = p["Imax"] / (1 + np.exp((25 - na * inside) / 3)) / (1 + np.exp(5.5 - outer["k"] * outside))
    i_na = (p["gNaL"] + p["gNa"] * m**3 * h) * (v - e(outer["na"], na)) + 3 * pump
    i_k = (p["gKL"] + p["gK"] * n**4) * (v - e(outer["k"], k)) - 2 * pump
    i_cl = p["gClL"] * (v + e(outer["cl"], cl))
    within, without = na + k + cl + p["nimpi"], sum(outer.values()) + p["nimpe"]
    return 1e3 * np.array(
        [
            -(i_na + i_k + i_cl) / p["C"],
            p["phi"] * (a_n * (1 - n) - b_n * n),
            p["phi"] * (a_h * (1 - h) - b_h * h),
            -p["conv"] * i_k,
            p["conv"] * i_cl,
            (p["vtot"] * within / (within + without) - volume) / p["tvl"],
        ]
    )


def wei(p, y):
    """d/dt of all twelve [1/ms], amounts in mM m3 and the volume in m3."""
    v, m, h, n, k_o, k_i, na_o, na_i, cl_o, cl_i, volume, o2 = y
    a_m, b_m = 1.28 * linoid((v + 54) / 4), 1.4 * linoid(-(v + 27) / 5)
    a_h, b_h = 0.128 * np.exp(-(v + 50) / 18), 4 * logistic((v + 27) / 5)
    a_n, b_n = 0.16 * linoid((v + 52) / 5), 0.5 * np.exp(-(v + 57) / 40)
    outer = (1 + 1 / p["beta0"]) * p["vol0"] - volume
    k_o, na_o, cl_o, k_i, na_i, cl_i = *(x / outer for x in (k_o, na_o, cl_o)), *(x / volume for x in (k_i, na_i, cl_i))
    beta = volume / outer
    gamma = 4 * np.pi * (3 * volume / (4 * np.pi)) ** (2 / 3) / (p["F_C_per_mol"] * volume) * 1e-2
    e = lambda o, i: p["RT_over_F_mV"] * np.log(o / i)
    rho = p["rho"] / (1 + np.exp((20 - o2) / 3))
    pump = rho / (1 + np.exp((25 - na_i) / 3)) / (1 + np.exp(3.5 - k_o))
    glial_pump = rho / 3 / (1 + np.exp(7 / 3)) / (1 + np.exp(3.5 - k_o))
    i_na = (p["gNa"] * m**3 * h + p["gNaL"]) * (v - e(na_o, na_i))
    i_k = (p["gK"] * n**4 + p["gKL"]) * (v - e(k_o, k_i))
    i_cl = p["gClL"] * (v - e(cl_i, cl_o))
    f_o = 1 / (1 + np.exp((2.5 - p["Obath"]) / 0.2))
    taken = p["Gglia"] * f_o / (1 + np.exp((18 - k_o) / 2.5))
    taken += p["epsK"] * f_o / (1 + np.exp((beta - 20) / 2)) * (k_o - p["Kbath"]) + 2 * glial_pump
    kcc = p["UKCC2"] * np.log(k_i * cl_i / (k_o * cl_o))
    nkcc = p["UNKCC1"] * np.log(k_i * cl_i**2 * na_i / (k_o * cl_o**2 * na_o)) / (1 + np.exp(16 - k_o))
    k, na, cl = gamma * i_k - 2 * pump + kcc + nkcc, gamma * i_na + 3 * pump + nkcc, -gamma * i_cl + kcc + 2 * nkcc
    pi_i = na_i + k_i + cl_i + p["Ai"] * p["vol0"] / volume
    pi_o = na_o + k_o + cl_o + p["Ae"] * (p["vol0"] / p["beta0"]) / outer
    return np.array(
        [
            -(i_na + i_k + i_cl + pump / gamma) / p["C"],
            *(a * (1 - x) - b * x for a, b, x in ((a_m, b_m, m), (a_h, b_h, h), (a_n, b_n, n))),
            1e-3 * outer * (beta * k - taken),
            -1e-3 * volume * k,
            *(1e-3 * volume * x for x in (na, -na, cl, -cl)),
            (p["vol0"] * (1.1029 - 0.1029 * np.exp((pi_o - pi_i) / 20)) - volume) / p["volK"],
            1e-3 * (-p["alphaO"] * (pump + glial_pump) + p["epsO"] * (p["Obath"] - o2)),
        ]
    )
