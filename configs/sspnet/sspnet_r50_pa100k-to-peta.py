"""Trained on PA-100K, tested on PETA, in the attributes that both have.

pa100k_from_peta.json says which: 14 of the 26; the other columns are unknown on PETA and take no part in the figures.
Ours: not run (no data set, no GPU).
    python tools/test.py configs/sspnet/sspnet_r50_pa100k-to-peta.py CHECKPOINT
"""
_base_ = ['./sspnet_r50_pa100k.py']

test_dataloader = dict(
    dataset=dict(
        data_root='data/peta', ann_file='peta.json', data_prefix=dict(img='images'),
        attributes='{{ fileDirname }}/pa100k_from_peta.json'))
