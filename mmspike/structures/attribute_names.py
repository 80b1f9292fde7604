"""Names of attributes, where they are known."""
from collections.abc import Mapping


def attribute_names(meta: Mapping | None, count: int) -> tuple[list[str], list[str]]:
    """Names and groups out of a data set's ``metainfo``, or numbers and '' where it has not one for each attribute.

    Args:
        meta: ``attributes`` and ``groups``, one per attribute; either may be missing.
        count: A, the number of the model's scores.

    Returns:
        tuple: A names and A groups.
    """
    names, groups = (list((meta or {}).get(key) or ()) for key in ('attributes', 'groups'))
    return (names if len(names) == count else [f'attribute {a}' for a in range(count)],
            groups if len(groups) == count else [''] * count)
