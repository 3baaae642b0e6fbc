"""A pore as any state graph: what it carries is the graph's net flux."""

from ..kinetics import AbstractScheme, transported, turnover
from .exchange import PER_PARTICLE, AbstractPermeation, carried


class GraphPore(AbstractPermeation):
    """An open pore whose occupancies are the states of a graph with an exchange table, in its steady state.

    For schemes of published rates that are not barriers and sites, such as binding constants and exit rates.

    **Arguments:** `scheme`: its exchange table says on which edges an ion comes from or leaves to which side.
    **Raises:** `ValueError` if a species is exchanged with one side only.
    """

    scheme: AbstractScheme

    def __check_init__(self):
        sides = {key for row in self.scheme.exchange for key, _ in row}
        for species, inside in sides:
            if (species, not inside) not in sides:
                here, there = ("inside", "outside") if inside else ("outside", "inside")
                raise ValueError(
                    f"A pore must exchange {species.name} with both sides, but its graph does so {here} only; add an "
                    f"edge with the {there}."
                )
        if not sides:
            raise ValueError("A pore's graph must say what its edges exchange; give scheme(..., exchange={...}).")

    def exchange(self, v, bath):  # noqa: D102
        fluxes = transported(self.scheme, turnover(self.scheme, v, bath))
        return carried({s: PER_PARTICLE * flux for s, flux in fluxes.items()}, bath)
