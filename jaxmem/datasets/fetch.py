"""Files of public repositories: from a mirror, from the cache, or downloaded once; always checked."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from ..results import InputError

MIRROR = "JAXMEM_DATA_MIRROR"
CACHE = "JAXMEM_DATA_CACHE"


def cache_folder() -> Path:
    """Where downloaded files are kept: `JAXMEM_DATA_CACHE`, or the system's cache folder for jaxmem."""
    import pooch

    return Path(os.environ.get(CACHE) or pooch.os_cache("jaxmem")).expanduser()


def fetch(base_url: str, path: str, sha256: str) -> Path:
    """A local copy of the file `base_url` + `path` with the given SHA-256.

    The mirror folder and the cache hold files under the path part of their address.

    **Raises:** `InputError` if a copy in the mirror is damaged, or the file is neither there nor in the cache
    and cannot be downloaded.
    """
    import pooch

    inside = urlsplit(base_url).path.strip("/")
    mirror = os.environ.get(MIRROR)
    if mirror:
        local = Path(mirror).expanduser() / inside / path
        if local.is_file():
            try:
                found = pooch.file_hash(str(local))
            except OSError as error:
                raise InputError(f"{local}: cannot be read ({error.strerror}); check {MIRROR}") from None
            if found != sha256:
                raise InputError(
                    f"{local}: must have SHA-256 {sha256[:12]}..., not {found[:12]}...; replace the copy in {MIRROR}, "
                    "it is damaged"
                )
            return local
    pooch.get_logger().setLevel("WARNING")
    # One connection at a time and a bounded wait: a machine without network must say so soon.
    downloader = pooch.HTTPDownloader(timeout=30)
    store = pooch.create(path=cache_folder() / inside, base_url=base_url, registry={path: f"sha256:{sha256}"})
    try:
        return Path(store.fetch(path, downloader=downloader))
    except (OSError, ValueError) as error:
        reason = str(error).split("\n")[0][:120] or type(error).__name__
        where = f"{mirror} lacks it" if mirror else f"or set {MIRROR} to a folder that holds {inside}/{path}"
        raise InputError(
            f"{base_url}{path}: cannot be fetched into {store.path} ({type(error).__name__}: {reason}); connect to the "
            f"network, {where}"
        ) from None
