from .build import build_neck
from .sspnet_neck import SSPNetNeck

__all__ = ['SSPNetNeck', 'build_neck']
