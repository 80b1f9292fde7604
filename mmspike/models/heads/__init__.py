from .action_head import ActionHead
from .attribute_head import AttributeHead
from .heatmap_head import HeatmapHead
from .sequence_head import SequenceHead
from .sspnet_head import SSPNetHead
from .vtb_head import VTBHead

__all__ = ['ActionHead', 'AttributeHead', 'HeatmapHead', 'SSPNetHead', 'SequenceHead', 'VTBHead']
