"""Models: layers, backbones, heads, preprocessors, and the predictors that join them."""
from . import layers  # noqa: F401  (registers norms, fusions and neurons)
from .backbones import (
    CalabreseCNN,
    CLIPVision,
    ConvLSTMUNet,
    PoseUNet,
    ReSpike,
    Spikingformer,
    SpikingResNet,
    SpikingUNet,
)
from .heads import ActionHead, AttributeHead, HeatmapHead, SequenceHead, SSPNetHead, VTBHead
from .losses import BinaryKD, HeatmapMSELoss, LogitKL, TextAlignmentKL, TokenLoss, WeightedBCELoss
from .necks import SSPNetNeck
from .predictors import ActionRecognizer, AttributeRecognizer, Distiller, HybridPoseEstimator, PoseEstimator
from .preprocessors import ClipDataPreprocessor, EventDataPreprocessor

__all__ = ['ActionHead', 'ActionRecognizer', 'AttributeHead', 'AttributeRecognizer', 'BinaryKD', 'CLIPVision',
           'CalabreseCNN', 'ClipDataPreprocessor', 'ConvLSTMUNet', 'Distiller', 'EventDataPreprocessor',
           'HeatmapHead', 'HeatmapMSELoss', 'HybridPoseEstimator', 'LogitKL', 'PoseEstimator', 'PoseUNet', 'ReSpike',
           'SSPNetHead', 'SSPNetNeck', 'SequenceHead', 'SpikingResNet', 'SpikingUNet', 'Spikingformer',
           'TextAlignmentKL', 'TokenLoss', 'VTBHead', 'WeightedBCELoss']
