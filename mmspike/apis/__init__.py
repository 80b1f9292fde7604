"""Finished models in a few lines: a file in, a prediction out."""
from mmspike.apis.action_inferencer import ActionInferencer
from mmspike.apis.model import init_model, load_config

__all__ = ['ActionInferencer', 'init_model', 'load_config']
