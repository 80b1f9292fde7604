"""A student that learns from labels and from a trained teacher."""
import copy

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModel
from mmpretrain.structures import DataSample
from torch import Tensor

from mmspike.registry import MODELS
from mmspike.utils.checkpoint import CheckpointError, load_weights

_HOW = ('Train the teacher with its own config, or convert a published checkpoint '
        '(tools/model_converters/convert.py), and set model.teacher_checkpoint=FILE.')


@MODELS.register_module()
class Distiller(BaseModel):
    """image -> student -> loss of the labels + loss of the teacher's features + loss of the teacher's logits.

    To everything around it, the distiller is the student: it has the student's parts, parameters and checkpoint, which
    the student's own config loads. The teacher is built when a training begins (or at the first loss), is given the
    same images, never changes, and is not there in a test.

    Args:
        student: config of a predictor that has ``extract_feat`` and a ``head`` (``AttributeRecognizer``).
        teacher: config of another such predictor. For ``feature_loss`` its head embeds sentences (``VTBHead``).
        teacher_checkpoint: file with the teacher's weights.
        label_weight: factor of the student's own loss.
        feature_loss: config of the loss ``(student map, teacher map, text)``, or None.
        logit_loss: config of the loss ``(student logits, teacher logits)``, or None. By default each attribute by
            itself; the published SNN-PAR compares softmaxes across attributes (``LogitKL``).
        legacy: keep the teacher in training mode as the published code does, so that its answers depend on the
            batch (BatchNorm) and on chance (stochastic depth).

    Raises:
        CheckpointError: no teacher checkpoint, or one of another model.
        ValueError: parts that do not fit together.

    Source: SNN-PAR (arXiv 2410.07857).
    Differs: the teacher is in evaluation mode, unless ``legacy``; it is not part of checkpoints.
    """

    def __init__(self,
                 student: dict,
                 teacher: dict,
                 teacher_checkpoint: str | None = None,
                 label_weight: float = 0.6,
                 feature_loss: dict | None = None,
                 logit_loss: dict | None = dict(type='BinaryKD'),  # noqa: B006  (a config, never changed)
                 legacy: bool = False):
        if feature_loss is None and logit_loss is None:
            raise ValueError('Distiller: feature_loss and logit_loss are both None, so that the teacher would have '
                             'nothing to say. Give one of them, or train the student with its own config.')
        student = MODELS.build(student)
        super().__init__(student.data_preprocessor, student.init_cfg)
        # The student's parts, under their names, are the distiller's own; the student itself is no part of it
        self._modules, self._parameters, self._buffers = student._modules, student._parameters, student._buffers
        self._not_a_part('student', student)
        self._not_a_part('_teacher', None)
        # No weights in them; as parts they would stand between the student's
        self._not_a_part('feature_loss', None if feature_loss is None else MODELS.build(feature_loss))
        self._not_a_part('logit_loss', None if logit_loss is None else MODELS.build(logit_loss))
        self.teacher_cfg, self.teacher_checkpoint = copy.deepcopy(teacher), teacher_checkpoint
        self.label_weight, self.legacy = label_weight, legacy
        self.teacher_attributes: list[str] | None = None  # names, where the teacher knows them

    def _not_a_part(self, name: str, value: object) -> None:
        """Sets an attribute past torch's registration: not in the state dict, the parameters or DDP."""
        object.__setattr__(self, name, value)

    @property
    def teacher(self) -> BaseModel:
        """The teacher, built and loaded on first use."""
        if self._teacher is None:
            self._not_a_part('_teacher', self._build_teacher())
        return self._teacher

    def _build_teacher(self) -> BaseModel:
        if self.teacher_checkpoint is None:
            raise CheckpointError(f'Distiller: no teacher_checkpoint, and an untrained teacher teaches nothing. {_HOW}')
        teacher = MODELS.build(self.teacher_cfg)
        ours, theirs = self.student.head.num_attributes, teacher.head.num_attributes
        if ours != theirs:
            raise ValueError(f'Distiller: the teacher has {theirs} attributes, the student {ours}. Set '
                             'model.teacher.head.num_attributes and model.student.head.num_attributes to those of the '
                             'data set, and give a teacher trained on it.')
        if self.feature_loss is not None and not hasattr(teacher.head, 'embed'):
            raise ValueError(f'Distiller: feature_loss needs a teacher whose head embeds sentences (VTBHead); this one '
                             f'has a {type(teacher.head).__name__}. Leave it out: model.feature_loss=None.')
        try:
            checkpoint = load_weights(teacher, self.teacher_checkpoint)
        except CheckpointError as error:
            raise CheckpointError(f'The teacher: {error} {_HOW}') from error
        meta = (checkpoint.get('meta') or {}).get('dataset_meta') or {}
        self.teacher_attributes = meta.get('attributes') or getattr(teacher.head, 'attributes', None)
        print_log(f'Teacher: {type(teacher).__name__} from {self.teacher_checkpoint}', 'current')
        like = next(self.parameters())
        return teacher.requires_grad_(False).to(like.device).to(like.dtype).train(self.training and self.legacy)

    def init_weights(self) -> None:
        """Initialises the student and, in training mode, builds the teacher: a training is about to begin."""
        super().init_weights()
        if self.training:
            _ = self.teacher

    def train(self, mode: bool = True) -> 'Distiller':
        super().train(mode)
        self.student.training = mode
        if self._teacher is not None:
            self._teacher.train(mode and self.legacy)
        return self

    def _apply(self, fn, *args, **kwargs):
        """``to``, ``cuda``, ``double`` and the like reach the teacher too."""
        super()._apply(fn, *args, **kwargs)
        if self._teacher is not None:
            self._teacher._apply(fn, *args, **kwargs)
        return self

    def forward(self, inputs: Tensor, data_samples: list[DataSample] | None = None, mode: str = 'tensor'):
        """As the student, except for ``'loss'``: ``loss`` of the labels, ``loss_feature``, ``loss_logit``."""
        if mode != 'loss':
            return self.student(inputs, data_samples, mode)
        features = self.student.extract_feat(inputs)
        logits = self.student.head(features)
        losses = self.student.head.loss_of(logits, data_samples)
        losses = {name: self.label_weight * value if 'loss' in name else value for name, value in losses.items()}
        with torch.no_grad():
            images = self._as_the_teacher_knows_them(inputs)
            their_features = self.teacher.extract_feat(images)
            their_logits = self.teacher.head(their_features)
        if self.feature_loss is not None:
            with torch.no_grad():
                text, tokens = self.teacher.head.embed(their_features)
            losses['loss_feature'] = self.feature_loss(features[-1], _as_map(tokens[:, 1:], images), text)
        if self.logit_loss is not None:
            losses['loss_logit'] = self.logit_loss(logits, their_logits)
        return losses

    def _as_the_teacher_knows_them(self, images: Tensor) -> Tensor:
        """Images normalised for the student -> normalised for the teacher."""
        ours, theirs = self.data_preprocessor, self.teacher.data_preprocessor
        if getattr(ours, 'to_rgb', None) != getattr(theirs, 'to_rgb', None):
            raise ValueError(f'Distiller: to_rgb is {theirs.to_rgb} in the preprocessor of the teacher and '
                             f'{ours.to_rgb} in that of the student. Both are given the same images: make them agree.')
        (our_mean, our_std), (mean, std) = ((getattr(p, 'mean', images.new_zeros(3, 1, 1)),
                                             getattr(p, 'std', images.new_ones(3, 1, 1))) for p in (ours, theirs))
        if torch.equal(our_mean, mean) and torch.equal(our_std, std):
            return images
        return (images * our_std + our_mean - mean) / std


def _as_map(tokens: Tensor, images: Tensor) -> Tensor:
    """Tokens of a ViT, row by row -> ``[B, C, h, w]``: the grid is that of the images' proportions."""
    count, (height, width) = tokens.shape[1], images.shape[-2:]
    rows = max(1, round((count * height / width)**0.5))
    if count % rows:
        raise ValueError(f'Distiller: {count} tokens of the teacher make no grid of {height}x{width} images. Expected '
                         'a multiple of the patch size in both directions.')
    return tokens.transpose(1, 2).unflatten(2, (rows, count // rows))
