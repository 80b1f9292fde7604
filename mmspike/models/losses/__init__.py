from .distillation import BinaryKD, LogitKL, TextAlignmentKL
from .token_loss import TokenLoss
from .weighted_bce import WeightedBCELoss

__all__ = ['BinaryKD', 'LogitKL', 'TextAlignmentKL', 'TokenLoss', 'WeightedBCELoss']
