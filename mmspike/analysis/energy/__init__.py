"""What a model costs: operations counted on real data, and estimates of energy from them."""
from mmspike.analysis.energy.account import Account, LayerCount, NeuronCount
from mmspike.analysis.energy.counter import OperationCounter

__all__ = ['Account', 'LayerCount', 'NeuronCount', 'OperationCounter']
