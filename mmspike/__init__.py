"""mmspike: spiking and hybrid ANN-SNN vision models in the OpenMMLab style."""
from .version import __version__

__all__ = ['__version__']
