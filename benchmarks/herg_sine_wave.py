"""How fast is the current of a hERG channel under the 8 s sine-wave command, and its gradient to nine
parameters?

Two gates (Beattie et al. 2018, doi:10.1113/JP275733), 80 000 samples 0.1 ms apart, one core. Beside jaxmem:
Myokit's CVODES with forward sensitivities, diffrax with its checkpointed adjoint, and a scan written by hand.

    python benchmarks/herg_sine_wave.py [--quick] [--only PEER] [--cores 0]
"""

import _sine_wave_peers as peers
from _jaxmem_sine_wave import herg, rows
from _sine_wave import HERG
from _timing import run

if __name__ == "__main__":
    run(
        "herg_sine_wave",
        {
            "jaxmem": lambda quick: rows(HERG, herg, quick, batched=100),
            "scan": lambda quick: peers.scan(HERG, quick, batched=100),
            "myokit": lambda quick: peers.myokit(HERG, quick),
            "diffrax": lambda quick: peers.diffrax(HERG, quick, "Tsit5", batched=100),
        },
    )
