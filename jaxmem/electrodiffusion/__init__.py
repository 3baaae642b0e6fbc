"""Poisson-Nernst-Planck: ions and potential along pores, slabs and between electrodes."""

from .access import with_access
from .ends import Charged, End, Held, Stern
from .flux import centered, scharfetter_gummel
from .mesh import Mesh, at, debye_lengths, graded, uniform
from .newton import Newton
from .pore import Pore
from .profile import Profile
from .shape import AbstractShape, Cylindrical, Planar, Spherical, Tube
from .solve import solve
from .steric import AbstractSteric, Bikerman

__all__ = [
    "AbstractShape",
    "AbstractSteric",
    "Bikerman",
    "Charged",
    "Cylindrical",
    "End",
    "Held",
    "Mesh",
    "Newton",
    "Planar",
    "Pore",
    "Profile",
    "Spherical",
    "Stern",
    "Tube",
    "at",
    "centered",
    "debye_lengths",
    "graded",
    "scharfetter_gummel",
    "solve",
    "uniform",
    "with_access",
]
