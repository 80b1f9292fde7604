"""The twin of sequencepar_synthetic.py whose targets have no end, as published: it cannot learn to stop.

    python tools/train.py configs/sequencepar/sequencepar-legacy_synthetic.py
"""
_base_ = ['./sequencepar_synthetic.py']

model = dict(head=dict(codec=dict(mode='legacy')))
