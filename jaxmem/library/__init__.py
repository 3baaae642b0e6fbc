"""Published models, one per file: `library.herg_beattie_2018.model()` is a channel with published parameters.

A file has `model(...)`, which returns a channel or a tuple of mechanisms, and where the model is fitted to data also
`free(...)`, with the published bounds; that of a cell (`CELLS`) returns a `cell.AbstractCell`.
`bk_horrigan_aldrich_2002` gives a steady open probability only, and `sglt1_eskandari_2005` is a transporter, so they
are not in `MODELS`. Beside a file may lie the same model as a model file (`text`), for a user to start from.
"""

from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from types import ModuleType

from ..results import InputError

__all__ = ["CELLS", "MODELS", "Entry", "load", "text"]


@dataclass(frozen=True)
class Entry:
    """One line of the list of models: the module in this package, what it is, and the DOI of its source, if known."""

    module: str
    description: str
    doi: str = ""


MODELS: dict[str, Entry] = {
    entry.module: entry
    for entry in (
        Entry(
            "hodgkin_huxley_1952",
            "squid axon: potassium n^4, sodium m^3 h, leak",
            "10.1113/jphysiol.1952.sp004764",
        ),
        Entry("herg_beattie_2018", "hERG (Kv11.1): two gates, activation and recovery", "10.1113/JP275733"),
        Entry("herg_wang_1997", "hERG (Kv11.1): C1 - C2 - C3 - O - I", "10.1111/j.1469-7793.1997.045bl.x"),
        Entry(
            "herg_fink_2008",
            "human ventricular IKr: C1 - C2 - C3 - O - I, 15 parameters",
            "10.1016/j.pbiomolbio.2007.07.011",
        ),
        Entry(
            "shaker_zha_1994", "Shaker K: four subunits in three positions, 13.08 e0", "10.1085/jgp.103.2.321"
        ),
        Entry("k_channel_3b2s", "open K channel: 3 barriers, 2 sites, K and Na", "10.1085/jgp.72.4.409"),
        Entry("k_channel_three_site", "open K channel: 3 sites, K and Na, knock-on", "10.1085/jgp.72.4.409"),
        Entry("ca_channel_two_site", "open Ca channel: 2 sites, Ca, Ba and Na", "10.1113/jphysiol.1984.sp015352"),
        Entry("gramicidin_monoi_1985", "open gramicidin channel: 2 sites, Na"),
        Entry("ampar_ca_block", "open AMPA receptor, blocked by permeating Ca", "10.1038/s41586-025-08736-2"),
    )
}


#: Whole cells: `model(**overrides)` of such a module is a `cell.AbstractCell`. There are no model files of them.
CELLS: dict[str, Entry] = {
    entry.module: entry
    for entry in (
        Entry("squid_axon", "squid axon that fires, 6.3 C", "10.1113/jphysiol.1952.sp004764"),
        Entry("traub_miles_1991", "pyramidal cell in one compartment", "10.1017/CBO9780511895401"),
        Entry("pospischil_2008", "cortical cells, regular-spiking and fast-spiking", "10.1007/s00422-008-0263-8"),
        Entry(
            "wang_buzsaki_1996",
            "fast-spiking interneuron, and its gamma network",
            "10.1523/JNEUROSCI.16-20-06402.1996",
        ),
        Entry("dusterwald_2018", "pump-leak cell with KCC2: Na, K, Cl, volume", "10.7554/eLife.39575"),
        Entry("kay_2017", "pump-leak cell: Na, K, Cl, volume, constant pump", "10.3389/fcell.2017.00041"),
        Entry("keener_sneyd", "pump-leak cell of Tosteson and Hoffman, dimensionless", "10.1007/978-0-387-75847-3"),
        Entry("cressman_2009", "neuron with moving K outside and Na inside; seizures", "10.1007/s10827-008-0132-4"),
        Entry("hubel_dahlem_2014", "neuron with glia or blood; spreading depression", "10.1371/journal.pcbi.1003941"),
        Entry("hubel_ullah_2016", "neuron that swells without pumps; Donnan state", "10.1371/journal.pone.0147060"),
        Entry(
            "wei_ullah_schiff_2014",
            "neuron with glia, oxygen, volume; seizures, anoxia",
            "10.1523/JNEUROSCI.0516-14.2014",
        ),
        Entry("hubel_dahlem_cable", "tissue in which spreading depression travels", "10.1371/journal.pcbi.1003941"),
        Entry("qian_sejnowski_1989", "thin processes and spines with electrodiffusion", "10.1007/BF00217656"),
        Entry("saetra_2020", "soma and dendrite with electrodiffusion", "10.1371/journal.pcbi.1007661"),
    )
}


def load(name: str) -> ModuleType:
    """The module of a published model, imported at first use.

    **Raises:** `InputError` if there is no such model.
    """
    if name not in MODELS and name not in CELLS:
        close = get_close_matches(name, [*MODELS, *CELLS], 1)
        hint = f"did you mean '{close[0]}'?" if close else f"models are {', '.join([*MODELS, *CELLS])}."
        raise InputError(f"A model must be one of the library's, but is '{name}'; {hint}")
    return import_module(f".{name}", __name__)


def text(name: str) -> str:
    """The model as the text of a model file, to copy and to change; `modelfile.loads` reads it.

    **Raises:** `InputError` if there is no such model.
    """
    load(name)
    return (Path(__file__).parent / f"{name}.toml").read_text("utf-8")


def __getattr__(name: str) -> ModuleType:
    if name in MODELS or name in CELLS or name in ("bk_horrigan_aldrich_2002", "sglt1_eskandari_2005"):
        return import_module(f".{name}", __name__)
    models = ", ".join([*MODELS, *CELLS])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; its models are {models}")
