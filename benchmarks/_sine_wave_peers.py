"""What a user would pick instead for the sine wave: Myokit's CVODES, diffrax, and a scan written by hand.

Each peer answers for a `Kinetics` of `_sine_wave`; each checks its answer there and prints the error beside
the time.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from _sine_wave import (
    DT,
    EDGES,
    HOLDING,
    SINES,
    STEPS,
    Kinetics,
    errors,
    parameter_sets,
    recording,
    times,
    voltage,
)
from _timing import Row, compiled, measure


def _mmt(kinetics: Kinetics) -> str:
    """The channel in Myokit's language: states y0.., parameters p0.., the sines as a formula, the steps as
    events.
    """
    y, _ = kinetics.start(HOLDING)
    n = len(y)
    lines = ["[[model]]", *(f"m.y{i} = {float(y[i])!r}" for i in range(n)), "[engine]", "time = 0 bind time"]
    lines += ["pace = -80 bind pace", "[m]"]
    start, stop = float(EDGES[6]), float(EDGES[7])
    wave = " + ".join(f"{a} * sin({w} * (engine.time - 2500))" for a, w in SINES)
    lines += [f"V = if(engine.time >= {start} and engine.time < {stop}, -30 + {wave}, engine.pace)"]
    for j, (k, s, sign) in enumerate(kinetics.rates):
        lines += [f"r{j} = p{k}" + (f" * exp({sign} * p{s} * V)" if s is not None else "")]
    for i in range(n):
        terms = [
            f"({kinetics.M[j, i, c]}) * r{j} * y{c}" for j, row, c in np.argwhere(kinetics.M) if row == i
        ]
        terms += [f"({kinetics.B[j, i]}) * r{j}" for j in range(len(kinetics.rates)) if kinetics.B[j, i]]
        lines += [f"dot(y{i}) = " + " + ".join(terms)]
    last = len(kinetics.theta) - 1
    lines += [f"p{k} = {float(value)!r}" for k, value in enumerate(kinetics.theta)]
    opened = "y3" if kinetics.conserved else "y0 * y1"
    lines += [f"I = p{last} * {kinetics.gain!r} * {opened} * (V - ({kinetics.reversal!r}))"]
    return "\n".join(lines)


class _Cvodes:
    """Myokit's simulation at the steady state of each parameter set, sensitivities of that state included."""

    def __init__(self, kinetics: Kinetics, *, sensitivities: bool, tolerance: float):
        import myokit

        self.kinetics, self.names = kinetics, [f"m.p{k}" for k in range(len(kinetics.theta))]
        protocol = myokit.Protocol()
        for duration, level in STEPS:
            protocol.add_step(-80 if level is None else level, duration)
        asked = (["m.I"], self.names) if sensitivities else None
        self.sim = myokit.Simulation(myokit.parse_model(_mmt(kinetics)), protocol, sensitivities=asked)
        self.sim.set_tolerance(tolerance, tolerance)
        self.sensitivities = sensitivities

    def __call__(self, theta: np.ndarray, t: np.ndarray):
        here = Kinetics(**{**self.kinetics.__dict__, "theta": theta})
        y, s = here.start(HOLDING)
        self.sim.reset()
        self.sim.set_state(y)
        for name, value in zip(self.names, theta, strict=True):
            self.sim.set_constant(name, value)
        if not self.sensitivities:
            return np.array(self.sim.run(t[-1] + DT, log=["m.I"], log_times=t)["m.I"])
        self.sim._s_state = [list(column) for column in s.T] + [[0.0] * len(y)]
        log, slopes = self.sim.run(t[-1] + DT, log=["m.I"], log_times=t)
        return np.array(log["m.I"]), np.array(slopes)[:, 0, :]


def myokit(kinetics: Kinetics, quick: bool, *, sets: int = 100) -> Iterator[Row]:
    """Myokit's CVODES at 1e-8: the current, and by forward sensitivities the sum of squares' gradient."""
    import time

    t = times(4000.0 if quick else 8000.0)
    runs, sets = (2, 3) if quick else (5, sets)
    data = recording(kinetics, t, kinetics.reference(t)[0])
    peer = "Myokit CVODES 1e-8"
    start = time.perf_counter()
    forward = _Cvodes(kinetics, sensitivities=False, tolerance=1e-8)
    setup = time.perf_counter() - start
    found = errors(kinetics, t, current=forward(kinetics.theta, t))
    yield Row(
        peer, "forward", **measure(lambda: forward(kinetics.theta, t), runs=runs), setup=setup, errors=found
    )
    start = time.perf_counter()
    both = _Cvodes(kinetics, sensitivities=True, tolerance=1e-8)
    setup = time.perf_counter() - start

    def value_and_gradient(theta):
        current, jacobian = both(theta, t)
        return current, 2 * jacobian.T @ (current - data)

    current, gradient = value_and_gradient(kinetics.theta)
    found = errors(kinetics, t, current, gradient)
    once = measure(lambda: value_and_gradient(kinetics.theta), runs=runs)
    yield Row(peer, "value and gradient", **once, setup=setup, errors=found)
    found = errors(kinetics, t, jacobian=both(kinetics.theta, t)[1])
    yield Row(
        peer, "Jacobian", **measure(lambda: both(kinetics.theta, t), runs=runs), setup=setup, errors=found
    )
    lap = []
    for theta in parameter_sets(kinetics, sets):
        start = time.perf_counter()
        value_and_gradient(theta)
        lap.append(time.perf_counter() - start)
    total = {"median": sum(lap), "low": min(lap) * sets, "high": max(lap) * sets, "runs": 1}
    yield Row(
        peer, f"value and gradient, {sets} sets", **total, setup=setup, note="serial; range from single sets"
    )


def _field(kinetics: Kinetics):
    """dy/dt for diffrax, the sums written out so that no small matrix is multiplied."""
    import jax.numpy as jnp

    states = range(len(kinetics.B[0]))
    terms = [
        [(j, c, kinetics.M[j, i, c]) for j, row, c in np.argwhere(kinetics.M) if row == i] for i in states
    ]

    def field(t, y, theta):
        r = kinetics.rate(theta, voltage(t, jnp), jnp)
        grown = [sum(float(m) * r[j] * y[c] for j, c, m in row) for row in terms]
        forced = [sum(float(b) * r[j] for j, b in enumerate(kinetics.B[:, i]) if b) for i in states]
        return jnp.stack([g + f for g, f in zip(grown, forced, strict=True)])

    return field


def _steady(kinetics: Kinetics, theta):
    """Steady state at the holding potential in jax."""
    import jax.numpy as jnp

    r = jnp.stack(kinetics.rate(theta, jnp.asarray(HOLDING), jnp))
    a, b = jnp.tensordot(r, jnp.asarray(kinetics.M), 1), r @ jnp.asarray(kinetics.B)
    if kinetics.conserved:
        a, b = a.at[-1].set(1.0), b.at[-1].set(-1.0)
    return jnp.linalg.solve(a, -b)


def in_jax(
    kinetics: Kinetics, current, peer: str, quick: bool, *, batched: int, note: str = ""
) -> Iterator[Row]:
    """Rows of a jax function `current(theta, t)`: forward, value and gradient, and `batched` sets under
    vmap.
    """
    import jax
    import jax.numpy as jnp

    t = times(4000.0 if quick else 8000.0)
    runs = 2 if quick else 5
    data = jnp.asarray(recording(kinetics, t, kinetics.reference(t)[0]))
    at, theta = jnp.asarray(t), jnp.asarray(kinetics.theta)

    def both(theta):
        return jax.value_and_grad(lambda p: jnp.sum((current(p, at) - data) ** 2))(theta)

    forward, setup = compiled(lambda p: current(p, at), theta)
    found = errors(kinetics, t, current=forward(theta))
    yield Row(
        peer, "forward", **measure(lambda: forward(theta), runs=runs), setup=setup, errors=found, note=note
    )
    sloped, setup = compiled(both, theta)
    found = errors(kinetics, t, gradient=sloped(theta)[1])
    yield Row(
        peer,
        "value and gradient",
        **measure(lambda: sloped(theta), runs=runs),
        setup=setup,
        errors=found,
        note=note,
    )
    if batched:
        sets = jnp.asarray(parameter_sets(kinetics, 2 if quick else batched))
        many, setup = compiled(jax.vmap(both), sets)
        found = errors(kinetics, t, gradient=many(sets)[1][0])
        task = f"value and gradient, {len(sets)} sets"
        yield Row(
            peer, task, **measure(lambda: many(sets), runs=runs), setup=setup, errors=found, note="vmap"
        )


def diffrax(kinetics: Kinetics, quick: bool, solver: str, *, batched: int) -> Iterator[Row]:
    """diffrax at 1e-6 with its checkpointed adjoint, told where the command jumps."""
    import diffrax as dfx
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    term = dfx.ODETerm(_field(kinetics))
    steps = dfx.ClipStepSizeController(
        dfx.PIDController(rtol=1e-6, atol=1e-6), jump_ts=jnp.asarray(EDGES[1:-1])
    )

    def current(theta, t):
        saved = dfx.SaveAt(ts=t)
        method = getattr(dfx, solver)()
        start = _steady(kinetics, theta)
        how = {"saveat": saved, "stepsize_controller": steps, "max_steps": 2**17}
        solved = dfx.diffeqsolve(term, method, 0.0, t[-1], None, start, theta, **how)
        return theta[-1] * kinetics.gain * kinetics.read(solved.ys.T) * (voltage(t, jnp) - kinetics.reversal)

    yield from in_jax(kinetics, current, f"diffrax {solver} 1e-6", quick, batched=batched)


def scan(kinetics: Kinetics, quick: bool, *, batched: int) -> Iterator[Row]:
    """One lax.scan over the samples with an exponential of the rates at each interval's middle: an
    afternoon's work.
    """
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def current(theta, t):
        r = jnp.stack(kinetics.rate(theta, voltage(t + DT / 2, jnp), jnp))
        if kinetics.conserved:
            propagators = jax.vmap(jax.scipy.linalg.expm)(DT * jnp.tensordot(r.T, jnp.asarray(kinetics.M), 1))
            step = lambda y, p: (p @ y, y)
        else:
            total, onward = jnp.stack([r[0] + r[1], r[2] + r[3]], 1), jnp.stack([r[0], r[3]], 1)
            decay = jnp.exp(-DT * total)
            propagators = (decay, (1 - decay) * onward / total)
            step = lambda y, p: (p[0] * y + p[1], y)
        _, y = jax.lax.scan(step, _steady(kinetics, theta), propagators)
        return theta[-1] * kinetics.gain * kinetics.read(y.T) * (voltage(t, jnp) - kinetics.reversal)

    yield from in_jax(kinetics, current, "hand-written lax.scan", quick, batched=batched)
