"""The CNN on DHP19, tested with a frame at the end of every bin of 5 ms; every second bin has a label.

No published figure. Ours: not run (no data set, no GPU). It is trained as hybrid_pose_cnn_dhp19.py is, whose checkpoint
serves as well:
    python tools/test.py configs/hybrid_pose/hybrid_pose_cnn_dhp19_200hz.py work_dirs/hybrid_pose_cnn_dhp19/epoch_10.pth
"""
_base_ = ['./hybrid_pose_cnn_dhp19.py']

test_dataloader = dict(dataset=dict(bin_ms=5))
