"""The published SSPNet on PA-100K, defects and all: converted checkpoints run with this.

26 attributes in the published order: two of the head at P1, seven of the torso and five of the legs at P2, twelve of
the whole body at P3. The published code names the sizes of these groups, not their members: the order is our reading.

Paper (second-hand, its backbone not stated): mA / accuracy / precision / recall / F1 of means = 83.58 / 80.63 / 87.79
/ 89.32 / 88.55. Ours: not run (no data set, no GPU).
    python tools/train.py configs/sspnet/sspnet_r50_pa100k_legacy.py
Differs: the learning rate falls when the loss on val, not on test, stops falling, and the checkpoint is chosen there.
"""
_base_ = ['./sspnet_r50_pa100k.py']

attributes = [
    'Hat', 'Glasses',
    'ShortSleeve', 'LongSleeve', 'UpperStride', 'UpperLogo', 'UpperPlaid', 'UpperSplice', 'LongCoat',
    'LowerStripe', 'LowerPattern', 'Trousers', 'Shorts', 'Skirt&Dress',
    'boots', 'HandBag', 'ShoulderBag', 'Backpack', 'HoldObjectsInFront', 'AgeOver60', 'Age18-60', 'AgeLess18',
    'Female', 'Front', 'Side', 'Back'
]  # yapf: disable
model = dict(
    head=dict(
        legacy=True,
        groups=dict(
            head=dict(region=(0, 0.375), scale=1, attributes=[0, 1]),
            torso=dict(region=(0.125, 0.625), scale=2, attributes=[2, 3, 4, 5, 6, 7, 8]),
            legs=dict(region=(0.5, 1), scale=2, attributes=[9, 10, 11, 12, 13]),
            body=dict(region=(0, 1), scale=3, attributes=[14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25]))))
train_dataloader = dict(dataset=dict(attributes=attributes))
val_dataloader = dict(dataset=dict(attributes=attributes))
test_dataloader = dict(dataset=dict(attributes=attributes))
