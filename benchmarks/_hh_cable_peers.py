"""What a user would pick instead for a spike along an axon: NEURON, Arbor, Jaxley.

Each peer says when the spike passes two compartments, from which the velocity is checked.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from _hh_cable import (
    AMPLITUDE,
    DIAMETER,
    DT,
    DURATION,
    LENGTH,
    RESISTIVITY,
    STEPS,
    errors,
    places,
    size_of,
    sloped,
    work,
)
from _timing import Row, compiled, measure

REST, E_NA, E_K, E_L = -65.0, 50.0, -77.0, -54.387  # mV
G_NA, G_K, G_L = 0.12, 0.036, 0.0003  # S/cm2


def neuron(quick: bool) -> Iterator[Row]:
    """NEURON at its fixed step, with and without the table of rates."""
    from neuron import h

    h.load_file("stdrun.hoc")
    start = time.perf_counter()
    size = size_of(quick)
    axon = h.Section(name="axon")
    axon.L, axon.diam, axon.Ra, axon.cm, axon.nseg = LENGTH, DIAMETER, RESISTIVITY, 1.0, size
    axon.insert("hh")
    axon.el_hh = E_L
    injected = h.IClamp(axon(0.5 / size))
    injected.delay, injected.dur, injected.amp = 0.0, 1.0, AMPLITUDE
    counts = [h.APCount(axon((k + 0.5) / size)) for k in places(size)]
    for count in counts:
        count.thresh = 0.0
    h.celsius, h.dt, h.steps_per_ms, h.tstop = 6.3, DT, 1 / DT, DURATION
    setup = time.perf_counter() - start

    def whole():
        h.finitialize(REST)
        h.continuerun(DURATION)
        return [count.time for count in counts]

    for table, name in ((1, "NEURON"), (0, "NEURON, no table")):
        h.usetable_hh = table
        found = errors(*whole())
        timing = measure(whole, runs=2 if quick else 5)
        yield Row(name, "cable equation", **timing, setup=setup, errors=found, work=work(size))


def arbor(quick: bool) -> Iterator[Row]:
    """Arbor on one thread, one control volume for each compartment."""
    import arbor as arb
    from arbor import units as U

    size = size_of(quick)
    at = lambda k: f"(location 0 {(k + 0.5) / size!r})"

    class Recipe(arb.recipe):
        def __init__(self):
            arb.recipe.__init__(self)
            self.properties = arb.neuron_cable_properties()
            self.properties.set_property(tempK=279.45 * U.Kelvin)

        def num_cells(self):
            return 1

        def cell_kind(self, gid):
            return arb.cell_kind.cable

        def cell_description(self, gid):
            tree = arb.segment_tree()
            tree.append(arb.mnpos, *[arb.mpoint(x, 0, 0, DIAMETER / 2) for x in (0, LENGTH)], tag=1)
            decor = arb.decor().set_property(Vm=REST * U.mV, cm=0.01 * U.F / U.m2, rL=RESISTIVITY * U.Ohm * U.cm)
            decor = decor.set_ion("na", rev_pot=E_NA * U.mV).set_ion("k", rev_pot=E_K * U.mV)
            values = {"gnabar": G_NA, "gkbar": G_K, "gl": G_L, "el": E_L}
            decor = decor.paint("(all)", arb.density("hh", values))
            decor = decor.place(at(0), arb.i_clamp(0 * U.ms, 1 * U.ms, AMPLITUDE * U.nA))
            for k, place in enumerate(places(size)):
                decor = decor.place(at(place), arb.threshold_detector(0 * U.mV), f"detector {k}")
            return arb.cable_cell(tree, decor, discretization=arb.cv_policy_fixed_per_branch(size))

        def global_properties(self, kind):
            return self.properties

    start = time.perf_counter()
    simulation = arb.simulation(Recipe(), arb.context(threads=1))
    simulation.record(arb.spike_recording.local)
    setup = time.perf_counter() - start

    def whole():
        simulation.reset()
        simulation.run(DURATION * U.ms, DT * U.ms)
        spikes = simulation.spikes()
        return [spikes["time"][spikes["source"]["index"] == k][0] for k in (0, 1)]

    found = errors(*whole())
    timing = measure(whole, runs=2 if quick else 5)
    yield Row("Arbor", "cable equation", **timing, setup=setup, errors=found, work=work(size))


def jaxley(quick: bool) -> Iterator[Row]:
    """Jaxley's backward Euler, and its reverse mode, checkpointed in two levels."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    import jaxley as jx
    from jaxley.channels import HH

    size = size_of(quick)
    axon = jx.Branch(jx.Compartment(), ncomp=size)
    axon.insert(HH())
    geometry = {"length": LENGTH / size, "radius": DIAMETER / 2, "axial_resistivity": RESISTIVITY, "capacitance": 1.0}
    channel = {"HH_gK": G_K, "HH_gLeak": G_L, "HH_eNa": E_NA, "HH_eK": E_K, "HH_eLeak": E_L}
    for name, value in (geometry | channel | {"v": REST}).items():
        axon.set(name, value)
    axon.init_states()
    for place in places(size):
        axon.comp(place).record("v", verbose=False)
    current = jnp.where(jnp.arange(STEPS) * DT < 1.0, AMPLITUDE, 0.0)

    def times(density, **more):
        state = axon.data_set("HH_gNa", density, None)
        stimulus = axon.comp(0).data_stimulate(current, None, verbose=False)
        v = jx.integrate(axon, param_state=state, data_stimuli=stimulus, delta_t=DT, **more)[:, : STEPS + 1]
        k = jnp.argmax((v[:, :-1] < 0) & (v[:, 1:] >= 0), axis=1)
        before, after = (jnp.take_along_axis(v, j[:, None], 1)[:, 0] for j in (k, k + 1))
        return DT * (k - before / (after - before))

    density = jnp.full(size, G_NA)
    forward, setup = compiled(times, density)
    found = errors(*(float(x) for x in forward(density)))
    timing = measure(lambda: forward(density), runs=2 if quick else 5)
    note = "records both traces"
    yield Row("Jaxley", "cable equation", **timing, setup=setup, errors=found, work=work(size), note=note)
    delay = lambda x: jnp.diff(times(x, checkpoint_lengths=[64, 63]))[0]
    yield sloped("Jaxley", "cable equation", delay, density, quick, "reverse mode, checkpointed")
