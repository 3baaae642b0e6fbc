"""Cells: channels and transporters where voltage, concentrations and volume are free to move."""

from .abstract import AbstractCell
from .cell import Cell, CellState, Flows, point
from .compartment import Compartment
from .links import AbstractLink, Buffer, Diffusion, Uptake
from .membrane import Membrane

__all__ = [
    "AbstractCell",
    "AbstractLink",
    "Buffer",
    "Cell",
    "CellState",
    "Compartment",
    "Diffusion",
    "Flows",
    "Membrane",
    "Uptake",
    "point",
]
