"""How fast is the current of a five-state Markov channel under the 8 s sine-wave command, and its gradient?

IKr of Fink et al. 2008 (doi:10.1016/j.pbiomolbio.2007.09.005), 15 parameters, 80 000 samples 0.1 ms apart,
one core. Beside jaxmem: Myokit's CVODES with forward sensitivities, diffrax, and a scan of matrix
exponentials written by hand.

    python benchmarks/markov_sine_wave.py [--quick] [--only PEER] [--cores 0]
"""

import _sine_wave_peers as peers
from _jaxmem_sine_wave import markov, rows
from _sine_wave import MARKOV
from _timing import run

if __name__ == "__main__":
    run(
        "markov_sine_wave",
        {
            "jaxmem": lambda quick: rows(MARKOV, markov, quick, batched=10),
            "scan": lambda quick: peers.scan(MARKOV, quick, batched=0),
            "myokit": lambda quick: peers.myokit(MARKOV, quick, sets=10),
            "diffrax": lambda quick: peers.diffrax(MARKOV, quick, "Kvaerno5", batched=0),
        },
    )
