from .distillation import BinaryKD, LogitKL, TextAlignmentKL
from .heatmap_mse import HeatmapMSELoss
from .token_loss import TokenLoss
from .weighted_bce import WeightedBCELoss

__all__ = ['BinaryKD', 'HeatmapMSELoss', 'LogitKL', 'TextAlignmentKL', 'TokenLoss', 'WeightedBCELoss']
