"""Finished models in a few lines: a file in, a prediction out."""
from mmspike.apis.action_inferencer import ActionInferencer
from mmspike.apis.attribute_inferencer import AttributeInferencer
from mmspike.apis.event_pose_streamer import EventPoseStreamer, StreamedPose, score_below
from mmspike.apis.model import init_model
from mmspike.utils.fold_batchnorm import fold_batchnorm

__all__ = ['ActionInferencer', 'AttributeInferencer', 'EventPoseStreamer', 'StreamedPose', 'fold_batchnorm',
           'init_model', 'score_below']
