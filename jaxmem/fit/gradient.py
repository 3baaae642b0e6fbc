"""The value and gradient of a loss, in whichever mode is cheaper."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

#: Up to so many parameters forward mode is cheaper through a long run: it costs about one more run for each pair of
#: parameters and no memory, reverse mode four to ten runs and a checkpoint per block of steps.
FEW = 8


def forward_mode(parameters: int) -> bool:
    """Whether the gradient by so many parameters is taken in forward mode."""
    return parameters <= FEW


def value_and_gradient(
    loss: Callable[[Float[Array, " p"]], Float[Array, ""]], x: Float[Array, " p"]
) -> tuple[Float[Array, ""], Float[Array, " p"]]:
    """The loss and its gradient by a row of parameters: in forward mode for up to `FEW` of them, else in reverse.

    **Arguments:** `loss`: a pure function of the row, such as `lambda x: spike_error(place(cell, x))`; `x` (p,).
    """
    if not forward_mode(x.size):
        return jax.value_and_grad(loss)(x)
    along = lambda direction: jax.jvp(loss, (x,), (direction,))
    return jax.vmap(along, out_axes=(None, 0))(jnp.eye(x.size, dtype=x.dtype))
