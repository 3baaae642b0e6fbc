"""The electrodiffusive Pinsky-Rinzel neuron in SI units, written out from the equations of its paper."""

import numpy as np

IONS = ("Na", "K", "Cl", "Ca")
Z = {"Na": 1, "K": 1, "Cl": -1, "Ca": 2}


def slope(file, y):
    """Rates of change [SI] in the order of the file's states, and the potentials [V], at a state."""
    p, d, x = file["parameters"], file["diffusion"], file["X_mM"]
    rt, f = p["R"] * p["T"], p["F"]
    c = {place: {ion: y[f"{ion}_{place}"] for ion in IONS} for place in ("si", "se", "di", "de")}
    free = lambda place, ion: (p["fCa"] if ion == "Ca" and place[1] == "i" else 1.0) * c[place][ion]
    q = {place: f * p["Vi"] * (sum(Z[k] * c[place][k] for k in IONS) - x[place]) for place in ("si", "di")}
    v = {place: q[f"{place}i"] / (p["Cm"] * p["Am"]) for place in "sd"}
    lam = {"i": p["lam_i"], "e": p["lam_e"]}
    area = {"i": p["alpha"] * p["Am"], "e": 0.5 * p["alpha"] * p["Am"]}
    diffusive, sigma = {}, {}
    for side in "ie":
        a, b = f"s{side}", f"d{side}"
        diffusive[side] = {k: -d[k] * (free(b, k) - free(a, k)) / (lam[side] ** 2 * p["dx"]) for k in IONS}
        sigma[side] = f**2 * sum(d[k] * Z[k] ** 2 * (free(a, k) + free(b, k)) for k in IONS) / (2 * rt * lam[side] ** 2)
    # The currents through both spaces cancel: area_i (f z J_i - sigma_i dphi_i/dx) + the same outside = 0.
    current = {side: f * sum(Z[k] * diffusive[side][k] for k in IONS) for side in "ie"}
    total = area["i"] * current["i"] + area["e"] * current["e"]
    conduct = {side: area[side] * sigma[side] / p["dx"] for side in "ie"}
    # dphi_i - dphi_e = V_d - V_s; conduct_i dphi_i + conduct_e dphi_e = total.
    dphi_e = (total - conduct["i"] * (v["d"] - v["s"])) / (conduct["i"] + conduct["e"])
    dphi = {"e": dphi_e, "i": dphi_e + v["d"] - v["s"]}
    flux = {}
    for side in "ie":
        for k in IONS:
            mean = 0.5 * (free(f"s{side}", k) + free(f"d{side}", k))
            drift = -d[k] * f * Z[k] * mean * dphi[side] / (lam[side] ** 2 * rt * p["dx"])
            flux[side, k] = diffusive[side][k] + drift
    out = {}
    membrane = {place: _membrane(p, place, v, c, y) for place in "sd"}
    for place, sign in (("s", -1.0), ("d", 1.0)):
        for k in IONS:
            j = membrane[place][k] * p["Am"]
            out[f"{k}_{place}i"] = (-j + sign * flux["i", k] * area["i"]) / p["Vi"]
            out[f"{k}_{place}e"] = (j + sign * flux["e", k] * area["e"]) / p["Ve"]
    out |= _gates(p, v, c, y)
    potentials = {"V_s": v["s"], "V_d": v["d"], "phi_de": 0.0, "phi_di": v["d"], "phi_se": -dphi_e}
    potentials["phi_si"] = v["s"] - dphi_e
    return [out[key] for key in file["state_order"]], potentials


def _membrane(p, place, v, c, y):
    i, e = c[f"{place}i"], c[f"{place}e"]
    volt, f = v[place], p["F"]
    inner = {**i, "Ca": p["fCa"] * i["Ca"]}
    reversal = {k: p["R"] * p["T"] / (Z[k] * f) * np.log(e[k] / inner[k]) for k in IONS}
    leak = lambda k, g: g * (volt - reversal[k]) / (f * Z[k])
    pump = p["rho"] / (1 + np.exp((25 - i["Na"]) / 3)) / (1 + np.exp(3.5 - e["K"]))
    kcc = p["Ukcc"] * np.log(i["K"] * i["Cl"] / (e["K"] * e["Cl"]))
    both = np.log(i["K"] * i["Cl"] / (e["K"] * e["Cl"])) + np.log(i["Na"] * i["Cl"] / (e["Na"] * e["Cl"]))
    nkcc = p["Unkcc"] * both / (1 + np.exp(16 - e["K"]))
    decay = p["Udec"] * (i["Ca"] - p["Ca0"]) * p["Vi"] / p["Am"]
    j = {
        "Na": leak("Na", p["gNaL"]) + 3 * pump + nkcc - 2 * decay,
        "K": leak("K", p["gKL"]) - 2 * pump + kcc + nkcc,
        "Cl": leak("Cl", p["gClL"]) + kcc + 2 * nkcc,
        "Ca": decay,
    }
    if place == "s":
        a, b = _linoids(1e3 * volt)["m"]
        j["Na"] += leak("Na", p["gNa"] * (a / (a + b)) ** 2 * y["h"])
        j["K"] += leak("K", p["gDR"] * y["n"])
    else:
        chi = min((inner["Ca"] - 99.8e-6) / 2.5e-4, 1.0)
        j["Ca"] += leak("Ca", p["gCa"] * y["s"] ** 2 * y["z"])
        j["K"] += leak("K", p["gAHP"] * y["q"] + p["gC"] * y["c"] * chi)
    return j


def _linoids(mv):
    return {
        "m": (0.32 * (mv + 46.9) / (1 - np.exp(-(mv + 46.9) / 4)), 0.28 * (mv + 19.9) / (np.exp((mv + 19.9) / 5) - 1)),
        "n": (0.016 * (mv + 24.9) / (1 - np.exp(-(mv + 24.9) / 5)), 0.25 * np.exp(-(mv + 40) / 40)),
        "h": (0.128 * np.exp((-43 - mv) / 18), 4 / (1 + np.exp(-(mv + 20) / 5))),
        "s": (1.6 / (1 + np.exp(-0.072 * (mv - 5))), 0.02 * (mv + 8.9) / (np.exp((mv + 8.9) / 5) - 1)),
    }


def _gates(p, v, c, y):
    soma, dendrite = 1e3 * v["s"], 1e3 * v["d"]
    rates = {"n": _linoids(soma)["n"], "h": _linoids(soma)["h"], "s": _linoids(dendrite)["s"]}
    slow = 2 * np.exp(-(dendrite + 53.5) / 27)
    a = 0.0527 * np.exp((dendrite + 50) / 11 - (dendrite + 53.5) / 27) if dendrite <= -10 else slow
    rates["c"] = (a, slow - a)
    out = {key: 1e3 * (a * (1 - y[key]) - b * y[key]) for key, (a, b) in rates.items()}
    a = min(2e4 * (p["fCa"] * c["di"]["Ca"] - 99.8e-6), 10.0)
    out["q"] = a * (1 - y["q"]) - y["q"]
    out["z"] = 1 / (1 + np.exp(dendrite + 30)) - y["z"]
    return out
