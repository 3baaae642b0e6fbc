"""How fast does an axon run along which spikes travel, by the cable equation and with all ions free to move?

1 cm of squid membrane, 2 um thick, in 1000 compartments, 100 ms at a step of 0.025 ms, one spike from one end; and the
gradient of its delay from a quarter to three quarters by the density of sodium channels at every place. Beside jaxmem:
NEURON, Arbor, Jaxley.

    python benchmarks/hh_cable.py [--quick] [--only jaxmem]
"""

from __future__ import annotations

from collections.abc import Iterator

import _hh_cable_peers as peers
import numpy as np
from _hh_cable import AMPLITUDE, DIAMETER, DT, DURATION, LENGTH, RESISTIVITY, errors, places, size_of, sloped, work
from _timing import Row, compiled, measure, on_one_core, run


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
        cell = space.Tissue(tree, outside, cells, temperature=279.45, record=places(size))
        where = lambda c: c.cells["axon"].mechanisms[0].density
    else:
        cell = space.Cable(tree, (sodium, potassium, leak), 279.45, resistivity=RESISTIVITY, record=places(size))
        where = lambda c: c.mechanisms[0].density
    command, ends = jm.protocols.step(1000.0 * AMPLITUDE, 1.0), np.array([0.0, DURATION])

    def times(density):
        changed = eqx.tree_at(where, cell, density)
        record = simulate.SpikeTimes(0.0)
        found = simulate.current_clamp(changed, command, ends, method=simulate.Hines(DT), record=record, throw=False)
        return found.records[0][:, 0]

    return times, jnp.full((size,), jm.units.MS_PER_CM2)


def jaxmem(quick: bool) -> Iterator[Row]:
    """The cable equation, then four ions on both sides; forward, and in reverse mode."""
    import jax.numpy as jnp

    size = size_of(quick)
    for ions, task in ((False, "cable equation"), (True, "4 ions on both sides")):
        times, density = _delay(ions, size)
        forward, setup = compiled(times, density)
        found = {} if ions else errors(*(float(x) for x in forward(density)))
        timing = measure(lambda forward=forward, density=density: forward(density), runs=2 if quick else 5)
        yield Row("jaxmem", task, **timing, setup=setup, errors=found, work=work(size))
        yield sloped("jaxmem", task, lambda x, times=times: jnp.diff(times(x))[0], density, quick)


if __name__ == "__main__":
    who = {"jaxmem": jaxmem, "neuron": peers.neuron, "arbor": peers.arbor, "jaxley": peers.jaxley}
    run("hh_cable", {name: on_one_core(peer) for name, peer in who.items()}, cores="0,1")
