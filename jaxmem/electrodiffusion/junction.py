"""Potentials at which no current flows: of electroneutral junctions and membranes, and of pores."""

from collections.abc import Callable, Mapping

import equinox as eqx
import jax.numpy as jnp
from jax import lax
from jax.scipy.linalg import expm
from jaxtyping import Array, ArrayLike, Float

from .._numerics.newton import newton as zero_of
from ..electrochemistry import Bath, Solution, Species, donnan
from ..results import InputError
from ..units import thermal_voltage
from .discretize import check_structure, discretize
from .ends import End, refuse_periodic
from .flux import scharfetter_gummel
from .mesh import Mesh, graded
from .newton import Newton, opening, steady
from .pore import Pore
from .profile import net_flux
from .solve import refuse
from .steric import AbstractSteric

_NEWTON, _BATHS = Newton(), (End(), End())
_WIDEST = 500.0  # [mV]: how far a potential is looked for where an ion is on one side alone


def henderson_potential(diffusion: Mapping[Species, ArrayLike], bath: Bath) -> Float[Array, ""]:
    """Potential of a junction along which every concentration changes evenly, inside minus outside [mV].

    V = RT/F [sum z D (c_out - c_in)]/[sum z^2 D (c_out - c_in)] ln[sum z^2 D c_out / sum z^2 D c_in].

    That is not the steady state, which is `junction_potential`; both agree for one salt, and for two of equal
    concentration that share an ion.

    **Arguments:** `diffusion`: diffusivity of every ion of the bath, in any common unit; `bath`.
    **Raises:** `InputError` where an ion of the bath has no diffusivity.
    **Source:** Henderson, Z. Phys. Chem. 59, 118 (1907).
    """
    z, d, inside, outside = _ions(diffusion, bath)
    return _henderson(z, d, inside, outside) * thermal_voltage(bath.temperature)


def junction_potential(
    diffusion: Mapping[Species, ArrayLike], bath: Bath, fixed_charge: Float[ArrayLike, ""] = 0.0
) -> Float[Array, ""]:
    """Potential of a steady electroneutral junction, or charged membrane, without current, inside minus outside [mV].

    Ions obey J = -D (dc/dx + z c dpsi/dx) and sum z c + X = 0; at a charged membrane both faces are in Donnan
    equilibrium with their bath. Without fixed charge that is Planck's liquid junction potential; with it, for one
    salt, that of Teorell, Meyer and Sievers. It is what a pore has that is long against its Debye length. In steps of
    dx/(sum z^2 c) the concentrations obey a linear equation, c' = (A z - j z^2) c with j = J/D and A = sum z j, whose
    solution is a matrix exponential: valences are any, and an ion may be missing on one side.

    **Arguments:** `diffusion`: diffusivity of every ion of the bath, in any common unit; `bath`; `fixed_charge` X of
    the membrane [mM of elementary charges].
    **Raises:** `InputError` where an ion of the bath has no diffusivity.
    **Source:** Planck, Ann. Phys. 276, 561 (1890); Teorell, Proc. Soc. Exp. Biol. Med. 33, 282 (1935); Meyer &
    Sievers, Helv. Chim. Acta 19, 649 (1936).
    """
    z, d, inside, outside = _ions(diffusion, bath)
    return _electroneutral(z, d, inside, outside, jnp.asarray(fixed_charge, z.dtype), tuple(diffusion), bath)


@eqx.filter_jit
def _electroneutral(z, d, inside, outside, fixed, species, bath: Bath) -> Float[Array, ""]:
    faces = []
    for c in (inside, outside):
        solution = eqx.tree_at(lambda s: s.c, Solution(dict.fromkeys(species, 0.0)), c)
        face = donnan(solution, fixed, 1.0, bath.temperature)
        faces.append((face.potential, face.inside.c))
    (step_in, left), (step_out, right) = faces
    d = d / jnp.max(d)
    size = jnp.max(left + right)
    left, right = left / size, right / size

    def residual(j):
        field = jnp.sum(z * j)
        end = expm(jnp.diag(z * field) - j[:, None] * (z * z)[None]) @ left
        # Charge is conserved along the way, so that one of the equations is free to say that there is no current.
        return end - right + z * jnp.sum(z * d * j)

    mean = 0.5 * (left + right)
    field = _henderson(z, d, left, right)
    start = (field * z * mean - (right - left)) / jnp.sum(z * z * mean)
    j = zero_of(residual, start)
    return jnp.sum(z * j) * thermal_voltage(bath.temperature) - step_in + step_out


def _ions(diffusion: Mapping[Species, ArrayLike], bath: Bath):
    missing = [s.name for s in bath.species if s.z and s not in diffusion]
    if missing:
        raise InputError(f"`diffusion` must name every ion of the bath, but lacks {', '.join(missing)}.")
    dtype = bath.temperature.dtype
    z = jnp.asarray([float(s.z) for s in diffusion], dtype)
    d = jnp.stack([jnp.asarray(x, dtype) for x in diffusion.values()])
    none = jnp.zeros((), dtype)
    inside, outside = (jnp.stack([bath[s][side] if s in bath.species else none for s in diffusion]) for side in (0, 1))
    return z, d, inside, outside


def _henderson(z, d, inside, outside):
    """Inside minus outside [kT/e]; smooth where both sides conduct alike."""
    steps, before = jnp.sum(z * d * (outside - inside)), jnp.sum(z * z * d * inside)
    change = jnp.sum(z * z * d * (outside - inside)) / before
    small = jnp.abs(change) < 1e-4
    near, far = jnp.where(small, change, 0.0), jnp.where(small, 1.0, change)
    series = 1.0 - near * (1.0 / 2.0 - near * (1.0 / 3.0 - near * (1.0 / 4.0 - near / 5.0)))
    return steps / before * jnp.where(small, series, jnp.log1p(far) / far)


def reversal_potential(
    pore: Pore,
    bath: Bath,
    *,
    mesh: Mesh | None = None,
    ends: tuple[End, End] = _BATHS,
    filling: Mapping[Species, ArrayLike] | None = None,
    steric: AbstractSteric | None = None,
    flux: Callable = scharfetter_gummel,
    newton: Newton = _NEWTON,
) -> Float[Array, ""]:
    """Potential psi(0) - psi(L) at which a pore carries no current [mV]; NaN where none is found.

    Every ion flows down its electrochemical potential, so the potential lies between the Nernst potentials of the ions
    that pass, or within 500 mV for an ion that is on one side alone. The derivative is that of the implicit function;
    `jax.vmap` maps over baths and pores.

    **Arguments:** see `solve`.
    **Raises:** `InputError` as `solve`, and where no ion passes both ends.
    """
    refuse(pore, bath, newton)
    check_structure(pore, bath, ends, filling)
    refuse_periodic(ends, "A reversal potential")
    passing = [s for s in pore.species if s.z and all(end.passes is None or s in end.passes for end in ends)]
    if not passing:
        raise InputError("A pore must have an ion that passes both ends to have a reversal potential, but has none.")
    if mesh is None:
        mesh = graded(pore, bath)
    frozen = lax.stop_gradient

    def at(v, apart, pore, bath, mesh, ends, filling, steric):
        """The current, from a start so far from the usual one, and how far the solution is from that."""
        system = discretize(pore, mesh, v, bath, ends, filling=filling, steric=steric, flux=flux)
        usual = frozen(opening(system))
        x, converged, _ = steady(system, usual + apart, newton)
        c, y = system.split(x)
        z = jnp.asarray(system.valence, c.dtype)
        return jnp.where(converged > 0, jnp.sum(z * net_flux(system, c, y)[0]), jnp.nan), y - usual

    unit = thermal_voltage(bath.temperature)
    nernst = jnp.stack([_nernst(s.z, *bath[s], unit) for s in passing])
    # A margin keeps both bounds apart where all ions are in equilibrium at the same potential.
    lower, upper = jnp.min(nernst) - 1.0, jnp.max(nernst) + 1.0
    fixed = frozen((pore, bath, mesh, ends, filling, steric))
    nothing = jnp.zeros((1 if steric is None else 2, mesh.nodes), pore.length.dtype)
    v, apart = frozen(_search(lambda v, apart: at(v, apart, *fixed), nothing, lower, upper))
    current = lambda v: at(v, apart, pore, bath, mesh, ends, filling, steric)[0]
    return lax.custom_root(current, v, lambda _, v: v, lambda g, one: one / g(jnp.ones_like(one)))


def _nernst(z, inside, outside, unit):
    known = (inside > 0) & (outside > 0)
    ratio = jnp.where(known, outside, 1.0) / jnp.where(known, inside, 1.0)
    e = unit / z * jnp.log(ratio)
    # Without it on one side an ion flows to there at any potential.
    one_sided = jnp.where(inside > outside, -_WIDEST, _WIDEST) * jnp.sign(float(z))
    return lax.stop_gradient(jnp.where(known, e, jnp.where(inside == outside, 0.0, one_sided)))


def _search(
    f: Callable[[Array, Array], tuple[Array, Array]], start: Array, lower: Float[Array, ""], upper: Float[Array, ""]
) -> tuple[Array, Array]:
    """Where f is zero, by Chandrupatla's method, which asks for f at one place of the program, unlike `root`.

    **Arguments:** `f`: of the number and of what it gave with the last one, such as where to begin from; `start`: the
    first of the latter.
    **Source:** Chandrupatla, Adv. Eng. Softw. 28, 145 (1997).
    """
    scale = jnp.where(-lower > upper, -lower, upper)
    nearest = 500.0 * jnp.finfo(lower.dtype).eps * scale  # below are roundings of the current

    def going(carry):
        *_, done, count = carry
        return ~done & (count < 80)

    def narrow(carry):
        x, y, (x1, f1), (x2, f2), _, count = carry
        value, y = f(x, y)
        first, second = count == 0, count == 1
        same = jnp.sign(value) == jnp.sign(f1)
        pick = lambda which, a, b: tuple(jnp.where(which, p, q) for p, q in zip(a, b, strict=True))
        x3, f3 = pick(same, (x1, f1), (x2, f2))
        x2, f2 = pick(first | second | ~same, (x1, f1), (x2, f2))
        x1, f1 = x, value
        width = jnp.where(x2 == x1, 1.0, jnp.abs(x2 - x1))
        least = nearest / width
        xi, phi = (x1 - x2) / (x3 - x2), (f1 - f2) / (f3 - f2)
        curved = (phi * phi < xi) & ((1.0 - phi) ** 2 < 1.0 - xi) & (count > 1)
        inverse = f1 / (f2 - f1) * f3 / (f2 - f3) + (x3 - x1) / (x2 - x1) * f1 / (f3 - f1) * f2 / (f3 - f2)
        t = jnp.where(curved, jnp.clip(inverse, least, 1.0 - least), 0.5)
        lost = ~jnp.isfinite(value) | (second & (jnp.sign(f1) * jnp.sign(f2) > 0))
        done = (f1 == 0) | (~first & (least > 0.5))
        best = jnp.where(jnp.abs(f2) < jnp.abs(f1), x2, x1)
        new = jnp.where(first, upper, x1 + t * (x2 - x1))
        new = jnp.where(lost, jnp.nan, jnp.where(f1 == 0, x1, jnp.where(done, best, new)))
        return new, y, (x1, f1), (x2, f2), done | lost, count + 1

    none = jnp.zeros_like(lower)
    carry = (lower, start, (lower, none), (lower, none), jnp.asarray(False), 0)
    return lax.while_loop(going, narrow, carry)[:2]
