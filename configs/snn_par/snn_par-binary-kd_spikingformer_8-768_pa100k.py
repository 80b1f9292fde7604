"""SNN-PAR on PA-100K with distillation for independent attributes: KL of yes and no, instead of one softmax over all.

Paper: not in it. Ours: not run (no data set, no GPU).
    python tools/train.py configs/snn_par/snn_par-binary-kd_spikingformer_8-768_pa100k.py
"""
_base_ = ['./snn_par_spikingformer_8-768_pa100k.py']

model = dict(logit_loss=dict(_delete_=True, type='BinaryKD', temperature=2.0, loss_weight=1.0))
