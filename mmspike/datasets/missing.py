"""A wrong folder shows at the start, not as a long row of files that cannot be read."""
import os
from collections.abc import Sequence

PROBED = 16


def explain_missing(folder: str, paths: Sequence[str], what: str) -> str | None:
    """What is wrong with a folder none of whose listed files is there; None where one of those looked for is.

    Args:
        folder: ``data_prefix`` of a dataset, perhaps empty.
        paths: The listed files.
        what: What they are, in the plural.
    """
    probed = paths[::max(1, len(paths) // PROBED)]
    if any(os.path.exists(path) for path in probed):
        return None
    if folder and not os.path.isdir(folder):
        return f'the folder {folder} (data_prefix) is missing'
    if folder and not os.listdir(folder):
        return f'the folder {folder} (data_prefix) is empty'
    return f'none of {len(probed)} {what} looked for exists, the first is {probed[0]}'
