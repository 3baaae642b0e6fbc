"""How fast does an axon run along which spikes travel, by the cable equation and with all ions free to move?

1 cm of squid membrane, 2 um thick, in 1000 compartments, 100 ms at a step of 0.025 ms, one spike from one end; and the
gradient of its delay from a quarter to three quarters by the density of sodium channels at every place. Beside jaxmem:
NEURON.

    python benchmarks/hh_cable.py [--quick] [--only jaxmem]
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from _timing import Row, compiled, measure, on_one_core, peak_memory, run

LENGTH, DIAMETER, RESISTIVITY = 10_000.0, 2.0, 100.0  # um, um, Ohm cm
COMPARTMENTS, DURATION, DT = 1000, 100.0, 0.025
STEPS = round(DURATION / DT)
VELOCITY = 474.7922
"""um/ms, by NEURON 9.0.2 with the same compartments, `secondorder` = 2 and a step of 0.0025 ms."""


def _places(size: int) -> list[int]:
    return [size // 4, 3 * size // 4]


def _errors(first: float, last: float) -> dict[str, float]:
    return {"velocity": abs(0.5 * LENGTH / (last - first) / VELOCITY - 1.0)}


def _work(size: int) -> dict[str, float]:
    return {"cell-steps": float(size * STEPS), "peak MB": peak_memory()}


def _delay(ions: bool, size: int):
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    import jaxmem as jm
    from jaxmem import simulate, space
    from jaxmem.channel import Channel
    from jaxmem.electrochemistry import Ca, Cl, K, Na
    from jaxmem.gating import AlwaysOpen
    from jaxmem.library import hodgkin_huxley_1952
    from jaxmem.permeation import Ohmic

    tree = space.cylinder(LENGTH, DIAMETER, size)
    sodium, potassium, leak = hodgkin_huxley_1952.model(q10=None)
    if ions:
        carried = [
            Channel(sodium.gating, Ohmic(120.0, species=Na)),
            Channel(potassium.gating, Ohmic(36.0, species=K)),
            Channel(AlwaysOpen(), Ohmic([0.3], species=(Cl,))),
        ]
        inside = space.inside(tree, {Na: 50.0, K: 400.0, Cl: 52.0, Ca: 1e-4})
        outside = space.outside(tree, {Na: 440.0, K: 20.0, Cl: 560.0, Ca: 10.0}, 0.5)
        cells = {"axon": space.Cells(inside, carried, tree.area)}
        cell = space.Tissue(tree, outside, cells, temperature=279.45, record=_places(size))
        where = lambda c: c.cells["axon"].mechanisms[0].density
    else:
        cell = space.Cable(
            tree, (sodium, potassium, leak), 279.45, resistivity=RESISTIVITY, record=_places(size)
        )
        where = lambda c: c.mechanisms[0].density
    command, ends = jm.protocols.step(1000.0, 1.0), np.array([0.0, DURATION])

    def times(density):
        changed = eqx.tree_at(where, cell, density)
        record = simulate.SpikeTimes(0.0)
        found = simulate.current_clamp(
            changed, command, ends, method=simulate.Hines(DT), record=record, throw=False
        )
        return found.records[0][:, 0]

    return times, jnp.full((size,), jm.units.MS_PER_CM2)


def jaxmem(quick: bool) -> Iterator[Row]:
    """The cable equation, then four ions on both sides; forward, and in reverse mode."""
    import jax
    import jax.numpy as jnp

    size = 200 if quick else COMPARTMENTS
    for ions, task in ((False, "cable equation"), (True, "4 ions on both sides")):
        times, density = _delay(ions, size)
        forward, setup = compiled(times, density)
        found = forward(density)
        errors = {} if ions else _errors(*(float(x) for x in found))
        timing = measure(lambda forward=forward, density=density: forward(density), runs=2 if quick else 5)
        yield Row("jaxmem", task, **timing, setup=setup, errors=errors, work=_work(size))
        delay = lambda x, times=times: jnp.diff(times(x))[0]
        slope, setup = compiled(jax.grad(delay), density)
        e = 1e-5 * density
        expected = float(delay(density + e) - delay(density - e)) / 2e-5
        wrong = abs(float(slope(density) @ density) / expected - 1.0)
        timing = measure(lambda slope=slope, density=density: slope(density), runs=2 if quick else 5)
        yield Row("jaxmem", f"gradient, {task}", **timing, setup=setup, errors={"gradient": wrong}, work=_work(size))


def neuron(quick: bool) -> Iterator[Row]:
    """NEURON at its fixed step, with and without the table of rates."""
    import time

    from neuron import h

    h.load_file("stdrun.hoc")
    start = time.perf_counter()
    size = 200 if quick else COMPARTMENTS
    axon = h.Section(name="axon")
    axon.L, axon.diam, axon.Ra, axon.cm, axon.nseg = LENGTH, DIAMETER, RESISTIVITY, 1.0, size
    axon.insert("hh")
    axon.el_hh = -54.387
    injected = h.IClamp(axon(0.5 / size))
    injected.delay, injected.dur, injected.amp = 0.0, 1.0, 1.0
    counts = [h.APCount(axon((k + 0.5) / size)) for k in _places(size)]
    for count in counts:
        count.thresh = 0.0
    h.celsius, h.dt, h.steps_per_ms, h.tstop = 6.3, DT, 1 / DT, DURATION
    setup = time.perf_counter() - start

    def whole():
        h.finitialize(-65.0)
        h.continuerun(DURATION)
        return [count.time for count in counts]

    for table, name in ((1, "NEURON"), (0, "NEURON, no table")):
        h.usetable_hh = table
        errors = _errors(*whole())
        timing = measure(whole, runs=2 if quick else 5)
        yield Row(name, "cable equation", **timing, setup=setup, errors=errors, work=_work(size))


if __name__ == "__main__":
    run("hh_cable", {"jaxmem": on_one_core(jaxmem), "neuron": on_one_core(neuron)}, cores="0,1")
