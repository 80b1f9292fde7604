"""Published checkpoints -> ours: pure functions from state dict to state dict, one file per system."""
from .dhp19_cnn import dhp19_cnn
from .hybrid_pose import hybrid_pose
from .respike import respike
from .sequencepar import clip, sequencepar
from .snn_par import snn_par
from .spikingformer import spikingformer
from .sspnet import sspnet
from .vtb import vit, vtb

__all__ = ['clip', 'dhp19_cnn', 'hybrid_pose', 'respike', 'sequencepar', 'snn_par', 'spikingformer', 'sspnet', 'vit',
           'vtb']
