"""Models: layers, backbones, heads, preprocessors, and the predictors that join them."""
from . import layers  # noqa: F401  (registers norms, fusions and neurons)
from .backbones import CLIPVision, ReSpike, Spikingformer, SpikingResNet
from .heads import ActionHead, AttributeHead, SequenceHead, SSPNetHead, VTBHead
from .losses import BinaryKD, LogitKL, TextAlignmentKL, TokenLoss, WeightedBCELoss
from .necks import SSPNetNeck
from .predictors import ActionRecognizer, AttributeRecognizer, Distiller
from .preprocessors import ClipDataPreprocessor

__all__ = [
    'ActionHead', 'ActionRecognizer', 'AttributeHead', 'AttributeRecognizer', 'BinaryKD', 'CLIPVision',
    'ClipDataPreprocessor', 'Distiller', 'LogitKL', 'ReSpike', 'SSPNetHead', 'SSPNetNeck', 'SequenceHead',
    'SpikingResNet', 'Spikingformer', 'TextAlignmentKL', 'TokenLoss', 'VTBHead', 'WeightedBCELoss'
]
