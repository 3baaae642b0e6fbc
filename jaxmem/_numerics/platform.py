"""Functions that differ between CPUs and accelerators."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax


def by_platform(*arguments: Any, cpu: Callable[..., Any], default: Callable[..., Any]) -> Any:
    """`lax.platform_dependent`, but where there is no accelerator only the function for CPUs is traced.

    Tracing both takes seconds where one of them is long.
    """
    if jax.default_backend() == "cpu":
        return cpu(*jax.tree.map(jnp.asarray, arguments))
    return lax.platform_dependent(*arguments, cpu=cpu, default=default)
