"""What a model costs: operations counted on real data, and estimates of energy from them."""
from mmspike.analysis.energy.account import Account, LayerCount, NeuronCount
from mmspike.analysis.energy.counter import OperationCounter
from mmspike.analysis.energy.energy_models import EnergyModel, energy_models, energy_of
from mmspike.analysis.energy.markdown import markdown
from mmspike.analysis.energy.report import EnergyReport, ModelFacts

__all__ = ['Account', 'EnergyModel', 'EnergyReport', 'LayerCount', 'ModelFacts', 'NeuronCount', 'OperationCounter',
           'energy_models', 'energy_of', 'markdown']
