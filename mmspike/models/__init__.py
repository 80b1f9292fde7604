"""Models: layers, backbones, heads, preprocessors, and the predictors that join them."""
from . import layers  # noqa: F401  (registers norms, fusions and neurons)
from .backbones import ReSpike, Spikingformer, SpikingResNet
from .heads import ActionHead, AttributeHead, SSPNetHead, VTBHead
from .losses import BinaryKD, LogitKL, TextAlignmentKL, WeightedBCELoss
from .necks import SSPNetNeck
from .predictors import ActionRecognizer, AttributeRecognizer, Distiller
from .preprocessors import ClipDataPreprocessor

__all__ = [
    'ActionHead', 'ActionRecognizer', 'AttributeHead', 'AttributeRecognizer', 'BinaryKD', 'ClipDataPreprocessor',
    'Distiller', 'LogitKL', 'ReSpike', 'SSPNetHead', 'SSPNetNeck', 'SpikingResNet', 'Spikingformer', 'TextAlignmentKL',
    'VTBHead', 'WeightedBCELoss'
]
