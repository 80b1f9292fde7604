"""The published Keras weights of DHP19's CNN: against the same network written in numpy, and by hand."""
import subprocess
import sys

import h5py
import numpy as np
import pytest
import torch
from mmengine import Config

from mmspike.convert import dhp19_cnn
from mmspike.convert.dhp19_cnn import LAYERS
from mmspike.models.backbones.calabrese import CalabreseCNN
from mmspike.registry import MODELS
from mmspike.utils.checkpoint import CheckpointError, load_weights
from mmspike.utils.foreign_weights import read_weights


def build(root):
    return MODELS.build(Config.fromfile(root / 'configs/_base_/models/calabrese_cnn.py').model)


def convolve(x, kernel, dilation):
    """Keras' 'same' convolution: x [H, W, in], kernel [3, 3, in, out]."""
    height, width, _ = x.shape
    padded = np.pad(x, ((dilation, dilation), (dilation, dilation), (0, 0)))
    return sum(padded[i * dilation:i * dilation + height, j * dilation:j * dilation + width] @ kernel[i, j]
               for i in range(3) for j in range(3))


def enlarge(x, kernel):
    """Keras' 'same' transposed convolution of stride 2: every pixel writes a 3x3 patch, the last row and column of
    what comes out are cut off. kernel [3, 3, out, in]."""
    height, width, _ = x.shape
    y = np.zeros((2 * height + 1, 2 * width + 1, kernel.shape[2]))
    for i in range(3):
        for j in range(3):
            y[i:i + 2 * height:2, j:j + 2 * width:2] += x @ kernel[i, j].T
    return y[:-1, :-1]


def evaluate(weights, image):
    """The network in float64, on [H, W]."""
    x = image[..., None].astype(np.float64)
    for name in LAYERS:
        kernel = weights[f'{name}/{name}/kernel:0'].double().numpy()
        x = enlarge(x, kernel) if name.endswith('up') else convolve(x, kernel, 2 if name[4] in '34' else 1)
        x = np.maximum(x, 0)
        if name in ('conv1', 'conv2d'):
            height, width, channels = x.shape
            x = x.reshape(height // 2, 2, width // 2, 2, channels).max((1, 3))
    return x.transpose(2, 0, 1)


@pytest.mark.parametrize('size', [(260, 344), (44, 36)])
def test_published_weights_give_what_numpy_gives(samples, root, size):
    weights = read_weights(samples / 'weights/dhp19_cnn_keras.h5')
    model = build(root)
    model.load_state_dict(dhp19_cnn(weights), strict=True)
    assert sum(p.numel() for p in model.parameters()) == 218_592
    draw = np.random.RandomState(0)
    image = np.where(draw.random_sample(size) < 0.1, draw.randint(0, 256, size), 0)
    expected = evaluate(weights, image)
    with torch.no_grad():
        exact = model.double()(dict(frames=torch.from_numpy(image)[None, None, None].double()))[0, 0].numpy()
        single = model.float()(dict(frames=torch.from_numpy(image)[None, None, None].float()))[0, 0].numpy()
    assert expected.shape == (13, *size) and expected.max() > 0
    assert np.abs(exact - expected).max() <= 1e-12 * np.abs(expected).max()
    assert np.abs(single - expected).max() <= 1e-5 * np.abs(expected).max()


def test_an_enlargement_computed_by_hand():
    model = CalabreseCNN(base_channels=1)
    kernel = torch.arange(1., 10).view(3, 3, 1, 1)  # as Keras keeps it
    conv = torch.nn.ConvTranspose2d(1, 1, 3, stride=2, bias=False)
    conv.weight.data = dhp19_cnn(everything(kernel))['backbone.conv3_up.weight']
    x = torch.tensor([[[[1., 10.]]]])
    # rows 0 and 1 of the patch; columns: 1 2 (3 + 10 * 1) (10 * 2), the last (10 * 3) is cut off
    assert model._enlarge(x, conv).tolist() == [[[[1, 2, 13, 20], [4, 5, 46, 50]]]]


def everything(kernel):
    return {f'{name}/{name}/kernel:0': kernel for name in LAYERS}


def test_other_files_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"missing layers \['conv5d'\], unknown layers \['dense'\]"):
        weights = everything(torch.ones(3, 3, 1, 1))
        dhp19_cnn({name.replace('conv5d', 'dense'): value for name, value in weights.items()})
    (tmp_path / 'text.h5').write_text('text')
    with pytest.raises(CheckpointError, match='text.h5: cannot be read as HDF5'):
        read_weights(tmp_path / 'text.h5')
    h5py.File(tmp_path / 'empty.h5', 'w').close()
    with pytest.raises(CheckpointError, match='empty.h5: no weights in it'):
        read_weights(tmp_path / 'empty.h5')


def test_the_tool_reads_keras(tmp_path, root, samples):
    target = tmp_path / 'dhp19.pth'
    done = subprocess.run([sys.executable, root / 'tools/model_converters/convert.py', 'dhp19_cnn',
                           samples / 'weights/dhp19_cnn_keras.h5', target], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert '17 tensors, 218,592 values' in done.stdout
    load_weights(build(root), target)


def test_frames_of_other_sizes_are_named(root):
    with pytest.raises(ValueError, match=r'expected frames \[N, 1, H, W\] with H and W multiples of 4, got'):
        build(root)(dict(frames=torch.zeros(1, 1, 1, 30, 32)))
