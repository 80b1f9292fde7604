"""The pose networks and estimators: any width and length, explicit state, ablations, frozen parts, errors."""
import pytest
import torch

from mmspike.models.predictors.hybrid_pose_estimator import accumulate
from mmspike.registry import MODELS
from mmspike.structures import PoseDataSample

HEIGHT, WIDTH, JOINTS = 32, 64, 3
CNN = dict(type='PoseUNet', in_channels=4, out_channels=JOINTS, base_channels=3)
SNN = dict(type='SpikingUNet', out_channels=JOINTS, base_channels=2)
RNN = dict(type='ConvLSTMUNet', out_channels=JOINTS, base_channels=2, num_encoders=2, num_residual_blocks=1)
SNN_SOURCES = dict(stem='stem', down1='down1', down2='down2', down3='down3', residual1='up1', residual2='up2',
                   up1='up3', up2='up4', up3='up5')
SOURCES = dict(SpikingUNet=SNN_SOURCES, ConvLSTMUNet=dict(hidden0='down1', hidden1='down2'))


def estimator(backbone, **options):
    torch.manual_seed(0)
    return lively(MODELS.build(dict(type='PoseEstimator', backbone=dict(backbone), **options)))


def hybrid(network, initialised=True, **options):
    torch.manual_seed(0)
    if network['type'] == 'SpikingUNet' and options.get('output_decay', 0) is not None:
        network = dict(network, readout_neuron=None)
    initializer = dict(type='StateInitializer', sources=SOURCES[network['type']]) if initialised else None
    options = dict(cnn=dict(CNN), network=network, initializer=initializer) | options
    return lively(MODELS.build(dict(type='HybridPoseEstimator', **options)))


def lively(model):
    """Norms that make neurons fire."""
    for module in model.modules():
        if type(module).__name__ == 'StepBatchNorm2d':
            torch.nn.init.uniform_(module.weight, 1, 3)
            torch.nn.init.normal_(module.bias, 0.5)
            module.running_var.uniform_(0.1, 0.3)
    return model.double().eval()


def events(steps=4, batch=2, channels=2, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.poisson(torch.full((steps, batch, channels, HEIGHT, WIDTH), 0.5), draw).double()


def samples(steps, batch=2, seen=True):
    draw = torch.Generator().manual_seed(3)
    return [PoseDataSample(gt_keypoints=torch.rand(steps, JOINTS, 2, generator=draw) * 30,
                           gt_visible=torch.full((steps, JOINTS), seen)) for _ in range(batch)]


@pytest.mark.parametrize('backbone', [SNN, RNN], ids=lambda cfg: cfg['type'])
def test_any_split_of_the_bins_gives_the_same_when_the_state_is_handed_on(backbone):
    network, bins = estimator(backbone).backbone, events(5)
    with torch.no_grad():
        whole, end = network(bins)
        again, _ = network(bins)
        first, state = network(bins[:2])
        second, last = network(bins[2:], state)
    assert torch.equal(whole, again), 'there is hidden state'
    assert torch.allclose(torch.cat([first, second]), whole, atol=1e-12)
    assert set(last) == set(end) and all(torch.allclose(last[name], end[name], atol=1e-12) for name in end)
    assert not torch.allclose(second, network(bins[2:])[0]), 'the state has no effect'


@pytest.mark.parametrize('network', [SNN, RNN], ids=lambda cfg: cfg['type'])
def test_the_hybrid_is_its_two_methods_one_after_the_other(network):
    model, frames, bins = hybrid(network), events(1, channels=4), events(5)
    with torch.no_grad():
        whole = model(dict(frames=frames, bins=bins))
        state, maps = model.initialise(frames[0]), []
        for one in bins.split(1):
            out, state = model.step(one, state)
            maps.append(out)
    assert whole.shape == (5, 2, JOINTS, HEIGHT, WIDTH) and torch.allclose(torch.cat(maps), whole, atol=1e-12)
    assert torch.equal(state.maps, maps[-1][0])


@pytest.mark.parametrize('decay', [0.0, 0.8, 1.0])
def test_output_rule(decay):
    start, increments = torch.randn(2, 3, dtype=torch.float64), torch.randn(4, 2, 3, dtype=torch.float64)
    y, expected = start, []
    for increment in increments:
        y = decay * y + increment
        expected.append(y)
    assert torch.allclose(accumulate(increments, start, decay), torch.stack(expected), atol=1e-12)


def test_without_increments_the_joints_are_those_of_the_cnn():
    model = hybrid(SNN)
    torch.nn.init.zeros_(model.network.readout.conv.weight)
    with torch.no_grad():
        predicted = model(dict(frames=events(1, channels=4), bins=events(3)), samples(3), mode='predict')
    for sample in predicted:
        assert torch.equal(sample.pred_keypoints, sample.hold_keypoints) and sample.hold_keypoints.shape == (3, 3, 2)
        assert sample.pred_scores[2] == pytest.approx(0.8 * sample.pred_scores[1])


def test_ablation_b_lets_the_cnn_set_the_states_alone():
    model = hybrid(SNN, output_decay=None)
    frames, bins = events(1, channels=4), events(3)
    with torch.no_grad():
        state = model.initialise(frames[0])
        expected, _ = model.network(bins, state.network)
        assert torch.equal(model(dict(frames=frames, bins=bins)), expected)
    assert 'readout' not in state.network and len(state.network) == 9


def test_ablation_c_starts_at_rest():
    model, bins = hybrid(SNN, initialised=False), events(3)
    with torch.no_grad():
        state = model.initialise(events(1, channels=4)[0])
        maps, end = model.step(bins, state)
        increments, _ = model.network(bins)
    assert state.network == {} and len(end.network) == 9
    assert torch.allclose(maps, accumulate(increments, state.maps, 0.8), atol=1e-12)


def test_a_frozen_cnn_learns_nothing_and_another_does():
    inputs = dict(frames=events(2, channels=4), bins=events(3))
    for frozen in (True, False):
        model = hybrid(SNN, state_loss=0.05, freeze_cnn=frozen).train()
        losses = model(inputs, samples(3), mode='loss')
        assert set(losses) == {'loss_pose', 'loss_state'}
        sum(losses.values()).backward()
        assert all((p.grad is None) == frozen for p in model.cnn.parameters())
        assert all(p.grad is not None for part in (model.network, model.initializer) for p in part.parameters())
        assert model.cnn.training is not frozen and model.network.training


def test_the_loss_of_states_weighs_as_said():
    inputs = dict(frames=events(2, channels=4), bins=events(3))
    with torch.no_grad():
        plain = hybrid(SNN)(inputs, samples(3), mode='loss')
        both = hybrid(SNN, state_loss=0.2)(inputs, samples(3), mode='loss')
    assert set(plain) == {'loss_pose'} and both['loss_pose'] == pytest.approx(0.8 * float(plain['loss_pose']))


def test_joints_without_a_label_are_left_out_of_the_loss_and_count_in_the_legacy():
    frames = dict(frames=events(1, channels=4))
    hidden = samples(1)
    for sample in hidden:
        sample.gt_visible[:, 1] = False
    model, legacy = (estimator(CNN, head=dict(type='HeatmapHead', loss=dict(type='HeatmapMSELoss', legacy=legacy)))
                     for legacy in (False, True))
    with torch.no_grad():
        maps = model(frames)
    target = model.head.codec.encode(*(torch.stack([sample.get(name) for sample in hidden], 1)
                                       for name in ('gt_keypoints', 'gt_visible')), (HEIGHT, WIDTH))
    error = (maps - target).square().mean((-2, -1))
    with torch.no_grad():
        losses = [float(each(frames, hidden, mode='loss')['loss_pose']) for each in (model, legacy)]
    assert losses == [pytest.approx(float(error[:, :, [0, 2]].mean())), pytest.approx(float(error.mean()))]


def test_a_batch_without_any_label_has_a_loss_of_zero_with_a_graph():
    model = estimator(CNN)
    loss = model(dict(frames=events(1, channels=4)), samples(1, seen=False), mode='loss')['loss_pose']
    loss.backward()
    assert loss == 0 and all(p.grad is not None and not p.grad.any() for p in model.parameters())


def test_a_padded_image_gives_joints_within_it():
    model = estimator(dict(SNN))
    bins = [torch.ones(3, 2, 20, 37), torch.zeros(3, 2, 20, 37)]
    empty = [PoseDataSample(metainfo=dict(image_shape=(20, 37))) for _ in bins]
    data = model.data_preprocessor(dict(inputs=dict(bins=bins), data_samples=empty))
    assert data['inputs']['bins'].shape == (3, 2, 2, 24, 40)
    for sample in model.double()({'bins': data['inputs']['bins'].double()}, empty, mode='predict'):
        assert sample.pred_keypoints.shape == (3, JOINTS, 2)
        assert (sample.pred_keypoints < torch.tensor([37, 20])).all()


def test_training_in_int8_has_the_gradients_of_training_in_floats(monkeypatch):
    def gradients():
        model = estimator(SNN).train()
        model(dict(bins=events(3)), samples(3), mode='loss')['loss_pose'].backward()
        return [p.grad for p in model.parameters()]

    small = gradients()
    for name in ('saving', 'spiking_unet_blocks'):
        monkeypatch.setattr(f'mmspike.models.layers.{name}.gives_small_numbers', lambda neuron: False)
    assert all(torch.equal(a, b) for a, b in zip(small, gradients(), strict=True))


def test_maps_of_half_precision_lose_neither_places_nor_losses():
    head = MODELS.build(dict(type='HeatmapHead'))
    places = torch.tensor([[[301.0, 3.0], [257.0, 6.0]]])  # which are 302 and 256 in bfloat16
    sample = PoseDataSample(gt_keypoints=places, gt_visible=torch.ones(1, 2, dtype=torch.bool))
    maps = head.codec.encode(places, sample.gt_visible, (8, 320))[:, None]  # [T, B, K, H, W]
    for dtype in (torch.bfloat16, torch.float16):
        predicted, = head.predict(maps.to(dtype), [sample])
        assert predicted.pred_keypoints.dtype == torch.float32 and torch.equal(predicted.pred_keypoints, places)
        assert torch.equal(head.codec.decode(maps.to(dtype))[0][:, 0], places)
        loss = head.loss(maps.to(dtype) + 2**-14, [sample])
        assert loss == pytest.approx(float((maps.to(dtype) + 2**-14 - maps).float().square().mean()), rel=1e-4)


@pytest.mark.parametrize('backbone', [CNN, SNN, RNN], ids=lambda cfg: cfg['type'])
def test_an_untrained_network_can_begin_to_learn(backbone):
    model = MODELS.build(dict(type='PoseEstimator', backbone=dict(backbone)))
    model.init_weights()
    inputs = dict(frames=events(1, channels=4).float()) if backbone is CNN else dict(bins=events(3).float())
    loss = model.train()(inputs, samples(1 if backbone is CNN else 3), mode='loss')['loss_pose']
    loss.backward()
    assert loss.isfinite() and all(p.grad.abs().sum() > 0 for n, p in model.named_parameters() if 'weight' in n)


@pytest.mark.parametrize(('inputs', 'message'), [
    (dict(frames=events(1, channels=4)), r"no bins among the inputs \['frames'\].*EventsToBins"),
    (dict(frames=events(1, channels=3), bins=events(2)), r'expected frames \[N, 4, H, W\], got'),
    (dict(frames=events(1, channels=4), bins=events(2, channels=3)), r'expected bins \[T, B, 2, H, W\]'),
])
def test_inputs_that_do_not_fit(inputs, message):
    with pytest.raises(ValueError, match=message):
        hybrid(SNN)(inputs)


def test_other_errors_say_what_to_do():
    with pytest.raises(ValueError, match="a PoseUNet reads 'frames', but the inputs are"):
        estimator(CNN)(dict(bins=events(1)))
    with pytest.raises(ValueError, match='needs a frame at the start and one at the end of each window, got 1'):
        hybrid(SNN, state_loss=0.05)(dict(frames=events(1, channels=4), bins=events(2)), samples(2), mode='loss')
    with pytest.raises(ValueError, match=r'labels \[3, 2, 3, 2\].*do not fit maps \[2, 2, 3, 32, 64\]'):
        estimator(SNN)(dict(bins=events(2)), samples(3), mode='loss')
    with pytest.raises(ValueError, match='output_decay=1.2 has to be between 0 and 1'):
        hybrid(SNN, output_decay=1.2)
    with pytest.raises(ValueError, match='cnn.out_channels=1, network.out_channels=3. Expected the number of joints'):
        hybrid(SNN, cnn=dict(CNN, out_channels=1))
    with pytest.raises(ValueError, match='a CalabreseCNN does not give the maps of its levels'):
        hybrid(SNN, cnn=dict(type='CalabreseCNN'))
    with pytest.raises(ValueError, match=r"sources\['steem'\]='stem', but states are stem, down1"):
        hybrid(SNN, initializer=dict(type='StateInitializer', sources=dict(steem='stem')))
    with pytest.raises(ValueError, match="the map 'stem' has stride 1, the state 'down1' stride 2"):
        hybrid(SNN, initializer=dict(type='StateInitializer', sources=dict(down1='stem')))
    with pytest.raises(ValueError, match="the frames of one batch have the shapes"):
        MODELS.build(dict(type='EventDataPreprocessor'))(
            dict(inputs=dict(frames=[torch.zeros(1, 20, 8, 8), torch.zeros(1, 20, 8, 16)])))
    with pytest.raises(ValueError, match="neither 'bins' nor 'frames' among the inputs"):
        MODELS.build(dict(type='EventDataPreprocessor'))(dict(inputs=dict(image=[torch.zeros(1)])))
