from .distillation import BinaryKD, LogitKL, TextAlignmentKL
from .weighted_bce import WeightedBCELoss

__all__ = ['BinaryKD', 'LogitKL', 'TextAlignmentKL', 'WeightedBCELoss']
