"""Ablation B: the CNN sets the membranes alone; the output is a membrane of the SNN and starts from rest.

Published: 5.47 px, mean of the bins. Ours: not run (no data set, no GPU). After hybrid_pose_cnn_dhp19.py:
    python tools/train.py configs/hybrid_pose/hybrid_pose_cnn-snn_dhp19_ablation-b.py
"""
_base_ = ['./hybrid_pose_cnn-snn_dhp19.py']

model = dict(
    network=dict(
        readout_neuron=dict(_delete_=True, type='LeakyIntegrator', tau=3.0),
        init_cfg=dict(_delete_=True, type='Xavier', layer='Conv2d', distribution='normal')),
    output_decay=None)
