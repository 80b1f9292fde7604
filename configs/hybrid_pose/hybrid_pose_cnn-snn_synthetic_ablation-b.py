"""Ablation B on the embedded set: the CNN sets the membranes alone; the output is a membrane and starts from rest.

Ours: not run. After hybrid_pose_cnn_synthetic.py and hybrid_pose_snn_synthetic.py:
    python tools/train.py configs/hybrid_pose/hybrid_pose_cnn-snn_synthetic_ablation-b.py
"""
_base_ = ['./hybrid_pose_cnn-snn_synthetic.py']

model = dict(
    network=dict(readout_neuron=dict(_delete_=True, type='LeakyIntegrator', tau=3.0)), output_decay=None)
