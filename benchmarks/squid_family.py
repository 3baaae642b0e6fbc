"""How fast is a family of voltage steps on the squid axon's sodium and potassium channels?

13 sweeps of 1601 samples 0.025 ms apart: 1 ms at -80, 30 ms at -80 to +40 mV in 10 mV steps, 9 ms at -80,
from the steady state at -80 mV; Hodgkin and Huxley's rates as NEURON's hh.mod has them at 6.3 C. Errors leave
out the samples at and next to a jump, where peers disagree on which side of it they report. One core.

    python benchmarks/squid_family.py [--quick] [--only PEER] [--cores 0]
"""

from collections.abc import Iterator

import numpy as np
from _timing import Row, compiled, measure, run

DT, SAMPLES = 0.025, 1601
LEVELS = np.arange(-80.0, 41.0, 10.0)
JUMPS = (1.0, 31.0)
E_NA, E_K, G_NA, G_K = 50.0, -77.0, 120.0, 36.0
"""mV and mS/cm2, so currents are in uA/cm2."""


def _linear(x):
    return np.where(np.abs(x) < 1e-9, 1 - x / 2, x / np.expm1(np.where(np.abs(x) < 1e-9, 1.0, x)))


def exact(g_na: float = G_NA, g_k: float = G_K) -> np.ndarray:
    """Currents (sweeps, samples) [uA/cm2] from the closed form of every gate on every step."""
    t = np.arange(SAMPLES) * DT

    def gates(v):
        a = np.array([_linear(-(v + 40) / 10), 0.07 * np.exp(-(v + 65) / 20), 0.1 * _linear(-(v + 55) / 10)])
        b = [4 * np.exp(-(v + 65) / 18), 1 / (np.exp(-(v + 35) / 10) + 1), 0.125 * np.exp(-(v + 65) / 80)]
        return a / (a + b), a + np.array(b)

    currents = []
    for level in LEVELS:
        x, _ = gates(-80.0)
        path = np.empty((3, SAMPLES))
        for start, stop, v in ((0.0, 1.0, -80.0), (1.0, 31.0, level), (31.0, 40.1, -80.0)):
            steady, rate = gates(v)
            inside = (t >= start - 1e-9) & (t < stop - 1e-9)
            path[:, inside] = steady[:, None] + (x - steady)[:, None] * np.exp(
                -rate[:, None] * (t[inside] - start)
            )
            x = steady + (x - steady) * np.exp(-rate * (stop - start))
        v = np.where((t >= 1.0 - 1e-9) & (t < 31.0 - 1e-9), level, -80.0)
        m, h, n = path
        currents.append(g_na * m**3 * h * (v - E_NA) + g_k * n**4 * (v - E_K))
    return np.array(currents)


def error(currents: np.ndarray, late: int = 0) -> dict[str, float]:
    """Largest error over the peak, of currents that come `late` samples after the command."""
    t = np.arange(SAMPLES) * DT
    away = np.all([np.abs(t - jump) > 2.5 * DT for jump in JUMPS], axis=0)
    truth = exact()
    shifted = np.roll(np.asarray(currents), -late, axis=1)
    away &= t < t[-1] - late * DT
    return {"current": float(np.max(np.abs(shifted - truth)[:, away]) / np.max(np.abs(truth)))}


def squid(g_na, g_k):
    """Sodium and potassium channels of the squid axon, as jaxmem has them."""
    import jaxmem as jm

    linoid, exponential, sigmoid = jm.rates.Linoid, jm.rates.Exponential, jm.rates.Sigmoid
    m = jm.gating.Gate(linoid(1.0, -40.0, 10.0), exponential(4 * np.exp(-65 / 18), -1 / 18))
    h = jm.gating.Gate(exponential(0.07 * np.exp(-65 / 20), -1 / 20), sigmoid(1.0, -35.0, 10.0))
    n = jm.gating.Gate(linoid(0.1, -55.0, 10.0), exponential(0.125 * np.exp(-65 / 80), -1 / 80))
    sodium = jm.channel.Channel(
        jm.gating.HodgkinHuxley((m, h), (3, 1)), jm.permeation.Ohmic(g_na, reversal=E_NA)
    )
    potassium = jm.channel.Channel(
        jm.gating.HodgkinHuxley((n,), (4,)), jm.permeation.Ohmic(g_k, reversal=E_K)
    )
    return sodium, potassium


def family():
    """The thirteen commands as a jaxmem family."""
    from jaxmem.protocols import step, sweeps

    return sweeps([step(-80.0, 1.0) + step(v, 30.0) + step(-80.0, 9.0) for v in LEVELS])


def jaxmem(quick: bool) -> Iterator[Row]:
    """The two channels as a tuple, the sweeps as a family; also the gradient of a sum of squares to both
    conductances.
    """
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    from jaxmem import simulate
    from jaxmem.electrochemistry import as_bath

    model, bath = squid(G_NA, G_K), as_bath(279.45)
    plan = simulate.plan_clamp(model, family(), np.arange(SAMPLES) * DT)
    runs = 2 if quick else 5
    truth = jnp.asarray(exact())

    def current(model, plan):
        return simulate.clamp(model, plan, bath).current

    forward, setup = compiled(current, model, plan)
    found = error(forward(model, plan))
    yield Row(
        "jaxmem", "forward", **measure(lambda: forward(model, plan), runs=runs), setup=setup, errors=found
    )
    loss = jax.value_and_grad(lambda model, plan, truth: jnp.sum((current(model, plan) - 0.9 * truth) ** 2))
    sloped, setup = compiled(loss, model, plan, truth)
    found = {"gradient": abs(float(sloped(model, plan, truth)[1][0].permeation.g) / _slope_of_sodium() - 1)}
    timing = measure(lambda: sloped(model, plan, truth), runs=runs)
    note = "to every parameter of both channels; error of the sodium conductance's"
    yield Row("jaxmem", "value and gradient", **timing, setup=setup, errors=found, note=note)


def _slope_of_sodium() -> float:
    """d/dG_NA of sum (I - 0.9 truth)^2 at the true parameters: 2 sum 0.1 I I_Na / G_NA."""
    return float(np.sum(0.2 * exact() * exact(g_k=0.0)) / G_NA)


MMT = f"""
[[model]]
c.m = 0
c.h = 1
c.n = 0
[engine]
time = 0 bind time
pace = -80 bind pace
[membrane]
V = engine.pace
    label membrane_potential
[c]
use membrane.V
xm = -(V + 40) / 10
am = if(abs(xm) < 1e-6, 1 - xm / 2, xm / (exp(xm) - 1))
bm = 4 * exp(-(V + 65) / 18)
ah = 0.07 * exp(-(V + 65) / 20)
bh = 1 / (exp(-(V + 35) / 10) + 1)
xn = -(V + 55) / 10
an = 0.1 * if(abs(xn) < 1e-6, 1 - xn / 2, xn / (exp(xn) - 1))
bn = 0.125 * exp(-(V + 65) / 80)
dot(m) = am * (1 - m) - bm * m
dot(h) = ah * (1 - h) - bh * h
dot(n) = an * (1 - n) - bn * n
gna = {G_NA}
gk = {G_K}
I = gna * m^3 * h * (V - {E_NA}) + gk * n^4 * (V - ({E_K}))
"""


def myokit(quick: bool) -> Iterator[Row]:
    """Myokit's closed-form simulation (lib.hh), then its CVODES at 1e-8."""
    import time

    import myokit
    import myokit.lib.hh as hh

    runs = 2 if quick else 5
    t = np.arange(SAMPLES) * DT
    parsed = myokit.parse_model(MMT)
    states, parameters = ["c.m", "c.h", "c.n"], ["c.gna", "c.gk"]
    model = hh.HHModel(hh.convert_hh_states_to_inf_tau_form(parsed), states, parameters, "c.I", "membrane.V")
    rest = list(model.steady_state(-80.0))

    def protocols():
        for level in LEVELS:
            one = myokit.Protocol()
            for v, duration in ((-80.0, 1.0), (level, 30.0), (-80.0, 10.0)):
                one.add_step(v, duration)
            yield one

    def family(simulations, keyword):
        currents = []
        for simulation in simulations:
            simulation.reset()
            simulation.set_state(rest)
            currents.append(np.array(simulation.run(t[-1] + DT / 2, log_times=t, **keyword)["c.I"]))
        return np.array(currents)

    start = time.perf_counter()
    closed = [hh.AnalyticalSimulation(model, protocol) for protocol in protocols()]
    setup = time.perf_counter() - start
    found = error(family(closed, {}))
    yield Row(
        "Myokit lib.hh",
        "forward",
        **measure(lambda: family(closed, {}), runs=runs),
        setup=setup,
        errors=found,
    )
    start = time.perf_counter()
    one = myokit.Simulation(parsed)
    one.set_tolerance(1e-8, 1e-8)
    setup = time.perf_counter() - start
    commands = list(protocols())

    def stepped():
        currents = []
        for command in commands:
            one.set_protocol(command)
            currents.append(family([one], {"log": ["c.I"]})[0])
        return np.array(currents)

    found = error(stepped())
    yield Row("Myokit CVODES 1e-8", "forward", **measure(stepped, runs=runs), setup=setup, errors=found)


def neuron(quick: bool) -> Iterator[Row]:
    """NEURON at dt 0.025: 13 sections with an SEClamp each, advanced together, with and without the rate
    table.

    Its recorded current comes one sample after the command; the error is taken after undoing that.
    """
    import time

    from neuron import h

    h.load_file("stdrun.hoc")
    context = h.ParallelContext()
    start = time.perf_counter()
    parts = []
    for level in LEVELS:
        axon = h.Section()
        axon.L = axon.diam = 10.0
        axon.insert("hh")
        here = axon(0.5)
        here.hh.gl, axon.ena, axon.ek = 0.0, E_NA, E_K
        clamp = h.SEClamp(here)
        clamp.rs, clamp.dur1, clamp.dur2, clamp.dur3 = 1e-6, JUMPS[0], JUMPS[1] - JUMPS[0], 100.0
        clamp.amp1, clamp.amp2, clamp.amp3 = -80.0, level, -80.0
        parts.append((axon, clamp, h.Vector().record(here._ref_ina), h.Vector().record(here._ref_ik)))
    h.celsius, h.dt, h.steps_per_ms = 6.3, DT, 1 / DT
    context.set_maxstep(10)
    setup = time.perf_counter() - start

    def family():
        h.finitialize(-80.0)
        context.psolve((SAMPLES - 1) * DT)
        return np.array([1e3 * (np.array(sodium) + np.array(potassium)) for _, _, sodium, potassium in parts])

    for table, name in ((1, "NEURON dt 0.025"), (0, "NEURON dt 0.025, no table")):
        h.usetable_hh = table
        found = error(family()[:, :SAMPLES], late=1) | {
            "current, not shifted": error(family()[:, :SAMPLES])["current"]
        }
        timing = measure(family, runs=2 if quick else 5)
        yield Row(name, "forward", **timing, setup=setup, errors=found)


def jaxley(quick: bool) -> Iterator[Row]:
    """Jaxley at dt 0.025 with a clamped voltage, vmapped over the sweeps; the voltage is moved 1e-6 mV off
    its 0/0.
    """
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    import jaxley as jx
    from jaxley.channels import HH

    part = jx.Compartment()
    part.insert(HH())
    for name, value in {
        "HH_gNa": G_NA / 1e3,
        "HH_gK": G_K / 1e3,
        "HH_gLeak": 0.0,
        "HH_eNa": E_NA,
        "HH_eK": E_K,
    }.items():
        part.set(name, value)
    part.set("v", -80.0)
    part.init_states()
    part.record("i_HH", verbose=False)
    t = np.arange(SAMPLES + 1) * DT
    commands = jnp.asarray(np.where((t > 1.0 - 1e-9) & (t < 31.0 - 1e-9), LEVELS[:, None], -80.0) + 1e-6)

    def sweep(command):
        return jx.integrate(part, delta_t=DT, data_clamps=part.data_clamp("v", command, None, verbose=False))[
            0
        ]

    family, setup = compiled(jax.vmap(sweep), commands)
    currents = 1e3 * np.asarray(family(commands))
    best = min((error(currents[:, :SAMPLES], late)["current"], late) for late in (0, 1))
    note = f"current {best[1]} sample after the command, undone in the error"
    timing = measure(lambda: family(commands), runs=2 if quick else 5)
    yield Row("Jaxley dt 0.025", "forward", **timing, setup=setup, errors={"current": best[0]}, note=note)


if __name__ == "__main__":
    run("squid_family", {"jaxmem": jaxmem, "myokit": myokit, "neuron": neuron, "jaxley": jaxley})
