from .weighted_bce import WeightedBCELoss

__all__ = ['WeightedBCELoss']
