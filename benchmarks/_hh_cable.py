"""The axon of `hh_cable.py`: what all who run it share."""

from __future__ import annotations

from collections.abc import Callable

from _timing import Row, compiled, measure, peak_memory

LENGTH, DIAMETER, RESISTIVITY = 10_000.0, 2.0, 100.0  # um, um, Ohm cm
AMPLITUDE = 1.0  # nA, for 1 ms, into the first compartment
COMPARTMENTS, DURATION, DT = 1000, 100.0, 0.025
STEPS = round(DURATION / DT)
VELOCITY = 474.7922
"""um/ms, by NEURON 9.0.2 with the same compartments, `secondorder` = 2 and a step of 0.0025 ms."""


def size_of(quick: bool) -> int:
    """How many compartments."""
    return 200 if quick else COMPARTMENTS


def places(size: int) -> list[int]:
    """The compartments at a quarter and three quarters, where spikes are timed."""
    return [size // 4, 3 * size // 4]


def errors(first: float, last: float) -> dict[str, float]:
    """How wrong the velocity is between two times [ms]."""
    return {"velocity": abs(0.5 * LENGTH / (last - first) / VELOCITY - 1.0)}


def work(size: int) -> dict[str, float]:
    """Compartment-steps, and the memory of the process so far."""
    return {"cell-steps": float(size * STEPS), "peak MB": peak_memory()}


def sloped(peer: str, task: str, delay: Callable, density, quick: bool, note: str = "") -> Row:
    """The gradient of the delay by all densities, against a central difference of the same delay along all of them."""
    import jax

    slope, setup = compiled(jax.grad(delay), density)
    forward, _ = compiled(delay, density)
    e = 1e-5 * density
    expected = float(forward(density + e) - forward(density - e)) / 2e-5
    wrong = abs(float(slope(density) @ density) / expected - 1.0)
    timing = measure(lambda: slope(density), runs=2 if quick else 5)
    more = {"setup": setup, "errors": {"gradient": wrong}, "work": work(density.shape[0]), "note": note}
    return Row(peer, f"gradient, {task}", **timing, **more)
