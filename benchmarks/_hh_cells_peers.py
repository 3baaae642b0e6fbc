"""What a user would pick instead for a population of cells: NEURON, Arbor, Brian2, Jaxley.

Each peer counts the spikes of every cell and is checked on cell 0's seventh spike. `many` asks for the large population
on the cores given, else it is the small one on one core.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator

import numpy as np
from _hh_cells import (
    DT,
    DURATION,
    E_K,
    E_L,
    E_NA,
    G_L,
    REST,
    SAMPLED,
    SCALES,
    STEPS,
    Population,
    errors,
    gradient_error,
    resting,
    spike_times,
    truth,
)
from _timing import Row, compiled, measure, peak_memory, spread

LENGTH, DIAMETER = 10.0, 10.0
AREA = np.pi * LENGTH * DIAMETER  # um2
NANOAMPERES = 1e-5 * AREA  # of 1 uA/cm2


def size_of(many: bool, quick: bool) -> int:
    """How many cells."""
    return (10_000 if quick else 100_000) if many else (100 if quick else 1000)


def task(size: int, dtype: str, cores: int) -> str:
    """What a row is called."""
    number = f"{size:,}".replace(",", " ") if size >= 10_000 else str(size)
    return f"spike counts of {number} cells, {dtype}, {cores} core{'s' if cores > 1 else ''}"


def row(peer: str, size: int, dtype: str, timing: dict, setup: float, found: dict, note: str = "") -> Row:
    """A row of a forward run, with its cell-steps (of the asked length) and the memory of the process so far."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    work = {"cell-steps": float(size * STEPS), "peak MB": peak_memory()}
    more = {"setup": setup, "errors": found, "dtype": dtype, "note": note, "work": work}
    return Row(peer, task(size, dtype, cores), **timing, **more)


def neuron(quick: bool, many: bool = False) -> Iterator[Row]:
    """NEURON at its fixed step, with and without the table of rates; one thread per core."""
    from neuron import h

    h.load_file("stdrun.hoc")
    context, size = h.ParallelContext(), size_of(many, quick)
    context.nthread(len(os.sched_getaffinity(0)))
    start = time.perf_counter()
    population, parts = Population.draw(size), []
    for g_na, g_k, current in zip(population.g_na, population.g_k, population.current, strict=True):
        patch = h.Section()
        patch.L, patch.diam, patch.cm = LENGTH, DIAMETER, 1.0
        patch.insert("hh")
        here = patch(0.5)
        here.hh.gnabar, here.hh.gkbar, here.hh.gl, here.hh.el = g_na / 1e3, g_k / 1e3, G_L / 1e3, E_L
        patch.ena, patch.ek = E_NA, E_K
        injected = h.IClamp(here)
        injected.delay, injected.dur, injected.amp = 0.0, 1e9, current * here.area() * 1e-5
        spikes = h.APCount(here)
        spikes.thresh = 0.0
        parts.append((patch, injected, spikes))
    h.celsius, h.dt, h.steps_per_ms = 6.3, DT, 1 / DT
    context.set_maxstep(10)
    setup = time.perf_counter() - start

    def population_run():
        h.finitialize(REST)
        context.psolve(DURATION)
        return np.array([spikes.n for _, _, spikes in parts])

    for table, name in ((1, "NEURON"), (0, "NEURON, no table")):
        h.usetable_hh = table
        v, t = h.Vector().record(parts[0][0](0.5)._ref_v), h.Vector().record(h._ref_t)
        if many and table:
            start = time.perf_counter()
            counts = population_run()
            timing, note = spread([time.perf_counter() - start]), "one run"
        elif many:
            continue
        else:
            counts, note = population_run(), ""
            timing = measure(population_run, runs=2 if quick else 5)
        found = errors(spike_times(np.array(t), np.array(v)), counts)
        yield row(name, size, "float64", timing, setup, found, note)


def arbor(quick: bool, many: bool = False) -> Iterator[Row]:
    """Arbor on as many threads as cores, its cells in as many groups."""
    import arbor as arb
    from arbor import units as U

    size = size_of(many, quick)
    population, threads = Population.draw(size), len(os.sched_getaffinity(0))

    class Recipe(arb.recipe):
        def __init__(self):
            arb.recipe.__init__(self)
            self.properties = arb.neuron_cable_properties()
            self.properties.set_property(tempK=279.45 * U.Kelvin)

        def num_cells(self):
            return size

        def cell_kind(self, gid):
            return arb.cell_kind.cable

        def cell_description(self, gid):
            tree = arb.segment_tree()
            ends = [arb.mpoint(x, 0, 0, DIAMETER / 2) for x in (-LENGTH / 2, LENGTH / 2)]
            tree.append(arb.mnpos, *ends, tag=1)
            values = {"gnabar": population.g_na[gid] / 1e3, "gkbar": population.g_k[gid] / 1e3}
            decor = arb.decor().set_property(Vm=REST * U.mV, cm=0.01 * U.F / U.m2)
            decor = decor.set_ion("na", rev_pot=E_NA * U.mV).set_ion("k", rev_pot=E_K * U.mV)
            decor = decor.paint("(all)", arb.density("hh", values | {"gl": G_L / 1e3, "el": E_L}))
            middle, current = "(location 0 0.5)", population.current[gid] * NANOAMPERES * U.nA
            decor = decor.place(middle, arb.i_clamp(current))
            return arb.cable_cell(tree, decor.place(middle, arb.threshold_detector(0 * U.mV), "detector"))

        def probes(self, gid):
            return [arb.cable_probe_membrane_voltage("(location 0 0.5)", "v")] if gid == 0 else []

        def global_properties(self, kind):
            return self.properties

    start = time.perf_counter()
    context, hint, recipe = arb.context(threads=threads), arb.partition_hint(), Recipe()
    hint.cpu_group_size = -(-size // threads)
    groups = arb.partition_load_balance(recipe, context, {arb.cell_kind.cable: hint})
    simulation = arb.simulation(recipe, context, groups)
    simulation.record(arb.spike_recording.local)
    probe = simulation.sample((0, "v"), arb.regular_schedule(DT * U.ms))
    setup = time.perf_counter() - start

    def population_run():
        simulation.reset()
        simulation.run(DURATION * U.ms, DT * U.ms)
        return np.bincount(simulation.spikes()["source"]["gid"], minlength=size)

    timing = measure(population_run, runs=2 if quick else 5)
    counts, trace = population_run(), simulation.samples(probe)[0][0]
    found = errors(spike_times(trace[:, 0], trace[:, 1]), counts)
    yield row("Arbor", size, "float64", timing, setup, found)


EQUATIONS = f"""
dv/dt = (current - g_na*m**3*h*(v - {E_NA}) - g_k*n**4*(v - ({E_K})) - {G_L}*(v - ({E_L})))/ms : 1
dm/dt = (1/exprel(-(v + 40)/10)*(1 - m) - 4*exp(-(v + 65)/18)*m)/ms : 1
dh/dt = (0.07*exp(-(v + 65)/20)*(1 - h) - 1/(1 + exp(-(v + 35)/10))*h)/ms : 1
dn/dt = (0.1/exprel(-(v + 55)/10)*(1 - n) - 0.125*exp(-(v + 65)/80)*n)/ms : 1
current : 1 (constant)
g_na : 1 (constant)
g_k : 1 (constant)
"""


def brian2(quick: bool, many: bool = False) -> Iterator[Row]:
    """Brian2's C++ standalone program with exponential Euler, which is all its methods have for these equations beside
    explicit ones; the time is that of its loop, as the program itself measures it.
    """
    import brian2 as b2

    size, cores = size_of(many, quick), len(os.sched_getaffinity(0))
    population = Population.draw(size)
    flags = ["-O3", "-ffast-math", "-march=native", "-std=c++17", "-w"]
    b2.prefs.codegen.cpp.extra_compile_args_gcc = flags
    b2.prefs.devices.cpp_standalone.openmp_threads = cores if cores > 1 else 0
    for dtype in ("float32",) if many else ("float64", "float32"):
        b2.set_device("cpp_standalone", build_on_run=False, directory=tempfile.mkdtemp())
        b2.device.reinit()
        b2.device.activate(build_on_run=False, directory=tempfile.mkdtemp())
        b2.start_scope()
        b2.prefs.core.default_float_dtype = np.dtype(dtype).type
        b2.defaultclock.dt = DT * b2.ms
        group = b2.NeuronGroup(
            size, EQUATIONS, method="exponential_euler", threshold="v > 0", refractory="v > 0", name="cells"
        )
        group.v, (group.m, group.h, group.n) = REST, resting()
        group.current, group.g_na, group.g_k = population.current, population.g_na, population.g_k
        spikes, trace = b2.SpikeMonitor(group, record=False), b2.StateMonitor(group, "v", record=[0])
        start = time.perf_counter()
        net = b2.Network(group, spikes, trace)
        net.run(DURATION * b2.ms)
        b2.device.build(run=False)
        setup, laps = time.perf_counter() - start, []
        for _ in range(2 if quick else 3 if many else 5):
            b2.device.run()
            laps.append(b2.device._last_run_time)
        found = errors(spike_times(np.asarray(trace.t / b2.ms), trace.v[0]), np.asarray(spikes.count))
        yield row("Brian2 C++ standalone", size, dtype, spread(laps), setup, found)


def _jaxley(dtype: str) -> Callable:
    """Voltage (samples + 1,) of one of Jaxley's cells at every step, by its conductances and current."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", dtype == "float64")
    import jaxley as jx
    from jaxley.channels import HH

    patch = jx.Compartment()
    patch.insert(HH())
    geometry = {"length": LENGTH, "radius": DIAMETER / 2, "capacitance": 1.0, "v": REST}
    for name, value in (geometry | {"HH_eNa": E_NA, "HH_eK": E_K, "HH_eLeak": E_L}).items():
        patch.set(name, value)
    patch.init_states()
    patch.record("v", verbose=False)

    def voltage(g_na, g_k, g_l, current, **more):
        state = None
        for name, value in {"HH_gNa": g_na, "HH_gK": g_k, "HH_gLeak": g_l}.items():
            state = patch.data_set(name, value / 1e3, state)
        injected = jnp.full(STEPS, current * NANOAMPERES)
        stimulus = patch.data_stimulate(injected, None, verbose=False)
        return jx.integrate(patch, param_state=state, data_stimuli=stimulus, delta_t=DT, **more)[0]

    return voltage


def jaxley(quick: bool, many: bool = False) -> Iterator[Row]:
    """Jaxley's backward Euler vmapped over the cells; it has the trace of every cell, of which spikes are counted."""
    import jax
    import jax.numpy as jnp

    size = size_of(many, quick)
    for dtype in ("float32",) if many else ("float64", "float32"):
        voltage = _jaxley(dtype)
        population = Population.draw(size)
        given = [jnp.asarray(x) for x in (population.g_na, population.g_k, population.current)]

        def counted(g_na, g_k, current, voltage=voltage):
            v = jax.vmap(lambda a, b, i: voltage(a, b, G_L, i))(g_na, g_k, current)
            return v[0], jnp.sum((v[:, :-1] < 0) & (v[:, 1:] >= 0), axis=1)

        forward, setup = compiled(counted, *given)
        trace, counts = forward(*given)
        found = errors(spike_times(np.arange(STEPS + 1) * DT, np.asarray(trace)), np.asarray(counts))
        timing = measure(lambda forward=forward, given=given: forward(*given), runs=2 if quick else 5)
        yield row("Jaxley", size, dtype, timing, setup, found, "records every trace")


def jaxley_gradient(quick: bool) -> Iterator[Row]:
    """Jaxley's reverse mode, checkpointed in two levels."""
    import jax
    import jax.numpy as jnp

    voltage, size = _jaxley("float64"), size_of(False, quick)
    population, right = Population.draw(size), truth(size)
    record = jnp.asarray(right["record"].T)
    given = [jnp.asarray(x) for x in (population.g_na, population.g_k, population.current)]

    def loss(scales, record, g_na, g_k, current):
        levels = {"checkpoint_lengths": [64, 63]}
        one = lambda a, b, i: voltage(scales[0] * a, scales[1] * b, scales[2] * G_L, i, **levels)
        v = jax.vmap(one)(g_na, g_k, current)[:, : STEPS + 1]
        return jnp.sum((v[:, SAMPLED::SAMPLED] - record[:, 1:]) ** 2) / (record[:, 1:].size)

    sloped, setup = compiled(jax.value_and_grad(loss), jnp.asarray(SCALES), record, *given)
    gradient = sloped(jnp.asarray(SCALES), record, *given)[1]
    timing = measure(lambda: sloped(jnp.asarray(SCALES), record, *given), runs=2 if quick else 5)
    yield gradient_row("Jaxley", size, timing, setup, gradient, "reverse mode, checkpointed")


def gradient_row(peer: str, size: int, timing: dict, setup: float, gradient, note: str) -> Row:
    """A row of a gradient by three shared parameters."""
    work = {"cell-steps": float(size * STEPS), "peak MB": peak_memory()}
    found = gradient_error(size, gradient)
    name = f"loss and gradient by 3 parameters, {size} cells, float64, 1 core"
    return Row(peer, name, **timing, setup=setup, errors=found, note=note, work=work)
