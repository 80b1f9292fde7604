"""SNN-PAR checkpoints."""
from collections.abc import Mapping

from torch import Tensor

from .spikingformer import spikingformer

STUDENT = 'snn_model.'


def snn_par(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The student of a published SNN-PAR state dict, which holds the teacher too, under our names.

    Args:
        state_dict: as the published code saves it; a ``module.`` prefix of DataParallel is dropped.

    Returns:
        A state dict for ``AttributeRecognizer(backbone=Spikingformer(...), head=AttributeHead(...))``. For the teacher
        give the same file to :func:`mmspike.convert.vtb`.

    Raises:
        ValueError: where the dict has no student.
    """
    names = ((name.removeprefix('module.'), value) for name, value in state_dict.items())
    student = {name.removeprefix(STUDENT): value for name, value in names if name.startswith(STUDENT)}
    if not student:
        raise ValueError(f'convert.snn_par: none of {len(state_dict)} names begins with {STUDENT!r}. Give the state '
                         'dict of a whole published SNN-PAR model; a bare Spikingformer is converted by '
                         '"spikingformer", a VTB by "vtb".')
    return spikingformer(student)
