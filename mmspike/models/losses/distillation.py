"""What a student is told by a teacher: where attributes are seen, and how likely they are."""
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmspike.registry import MODELS


@MODELS.register_module()
class TextAlignmentKL(nn.Module):
    """The student's map of "which place resembles this attribute's sentence" after the teacher's.

    Per image and attribute, the similarities of the sentence with all places become a distribution over the places;
    the loss is KL(teacher || student), summed over attributes, mean over images.

    Args:
        loss_weight: factor.
        normalize: similarities are cosines, as published; False takes products over the root of C.

    Shape:
        student ``[B, C, h, w]``, teacher ``[B, C, h', w']``, text ``[A, C]`` -> scalar. Where the grids differ, the
        teacher's similarities are interpolated to the student's.

    Raises:
        ValueError: the student's features have another width than the sentences.

    Source: SNN-PAR (arXiv 2410.07857), published code.
    Differs: vectors are normalised once and multiplied, where the published code broadcasts ``[B, A, N, C]``; equal to
        rounding. The loss as printed in the paper has the opposite sign.
    """

    def __init__(self, loss_weight: float = 100.0, normalize: bool = True):
        super().__init__()
        self.loss_weight, self.normalize = loss_weight, normalize

    def forward(self, student: Tensor, teacher: Tensor, text: Tensor) -> Tensor:
        if student.ndim != 4 or student.shape[1] != text.shape[1]:
            raise ValueError(f"TextAlignmentKL: the student's last map is {list(student.shape)}, the teacher's "
                             f'sentences are {list(text.shape)}; expected [B, {text.shape[1]}, h, w]. Give the student '
                             f'the width {text.shape[1]} (or a neck of that width), train a teacher of the width '
                             'of the student, or leave this loss out: model.feature_loss=None.')
        with torch.autocast(student.device.type, enabled=False):  # cosines in bfloat16 are too coarse
            ours = self._similarity(student, text)
            with torch.no_grad():
                theirs = self._similarity(teacher, text)
                if theirs.shape != ours.shape:
                    theirs = F.interpolate(theirs, ours.shape[-2:], mode='bilinear', align_corners=False)
            log_ours, log_theirs = (y.flatten(2).log_softmax(-1) for y in (ours, theirs))
        return self.loss_weight * F.kl_div(log_ours, log_theirs, reduction='sum', log_target=True) / len(student)

    def _similarity(self, image: Tensor, text: Tensor) -> Tensor:
        """``[B, C, h, w]`` and ``[A, C]`` -> ``[B, A, h, w]``."""
        dtype = torch.promote_types(image.dtype, torch.float32)
        image, text = image.to(dtype), text.to(dtype)
        if self.normalize:
            image, text = F.normalize(image, dim=1, eps=1e-8), F.normalize(text, dim=1, eps=1e-8)
        else:
            text = text * text.shape[1]**-0.5
        return torch.einsum('ac,bchw->bahw', text, image)


@MODELS.register_module()
class LogitKL(nn.Module):
    """KL between softmaxes over the attributes, as published for SNN-PAR.

    The attributes of a person are not alternatives: this tells the student which of them the teacher thinks likelier
    than others, and nothing about how many there are (adding a number to all logits changes nothing).
    :class:`BinaryKD` is the loss for independent attributes.

    Args:
        temperature: t, dividing both logits; the loss is multiplied by t squared.
        loss_weight: factor.

    Shape:
        student and teacher ``[B, A]`` -> scalar, mean over images.

    Source: SNN-PAR (arXiv 2410.07857), published code.
    Differs: nothing.
    """

    def __init__(self, temperature: float = 2.0, loss_weight: float = 1.0):
        super().__init__()
        self.temperature, self.loss_weight = temperature, loss_weight

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        ours, theirs = ((y / self.temperature).log_softmax(-1) for y in (student, teacher))
        kl = F.kl_div(ours, theirs, reduction='batchmean', log_target=True)
        return self.loss_weight * self.temperature**2 * kl


@MODELS.register_module()
class BinaryKD(nn.Module):
    """KL between yes and no of each attribute, summed over attributes, mean over images.

    Args:
        temperature: t, dividing both logits; the loss is multiplied by t squared.
        loss_weight: factor.

    Shape:
        student and teacher ``[B, A]`` -> scalar.

    Source: ours; the distillation of arXiv 1503.02531 for each attribute by itself.
    """

    def __init__(self, temperature: float = 2.0, loss_weight: float = 1.0):
        super().__init__()
        self.temperature, self.loss_weight = temperature, loss_weight

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        student, teacher = student / self.temperature, teacher / self.temperature
        target = teacher.sigmoid()
        cross = F.binary_cross_entropy_with_logits(student, target, reduction='sum')
        entropy = F.binary_cross_entropy_with_logits(teacher, target, reduction='sum')
        return self.loss_weight * self.temperature**2 * (cross - entropy) / len(student)
