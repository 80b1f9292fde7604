"""Models: layers, backbones, heads, preprocessors, and the predictors that join them."""
from . import layers  # noqa: F401  (registers norms, fusions and neurons)
from .backbones import ReSpike, SpikingResNet
from .heads import ActionHead, AttributeHead
from .losses import WeightedBCELoss
from .predictors import ActionRecognizer, AttributeRecognizer
from .preprocessors import ClipDataPreprocessor

__all__ = [
    'ActionHead', 'ActionRecognizer', 'AttributeHead', 'AttributeRecognizer', 'ClipDataPreprocessor', 'ReSpike',
    'SpikingResNet', 'WeightedBCELoss'
]
