"""Poisson-Nernst-Planck: ions and potential along pores, slabs and between electrodes."""

from .access import with_access
from .course import Course
from .discretize import discretize
from .ends import PERIODIC, Charged, End, Held, Stern
from .flux import centered, scharfetter_gummel
from .impedance import impedance
from .junction import henderson_potential, junction_potential, reversal_potential
from .march import Rosenbrock
from .mesh import Mesh, at, debye_lengths, graded, uniform
from .newton import Newton
from .pore import Pore
from .profile import Profile
from .refine import refined
from .shape import AbstractShape, Cylindrical, Planar, Spherical, Tube
from .solve import solve
from .steric import AbstractSteric, Bikerman
from .transient import evolve

__all__ = [
    "PERIODIC",
    "AbstractShape",
    "AbstractSteric",
    "Bikerman",
    "Charged",
    "Course",
    "Cylindrical",
    "End",
    "Held",
    "Mesh",
    "Newton",
    "Planar",
    "Pore",
    "Profile",
    "Rosenbrock",
    "Spherical",
    "Stern",
    "Tube",
    "at",
    "centered",
    "debye_lengths",
    "discretize",
    "evolve",
    "graded",
    "henderson_potential",
    "impedance",
    "junction_potential",
    "refined",
    "reversal_potential",
    "scharfetter_gummel",
    "solve",
    "uniform",
    "with_access",
]
