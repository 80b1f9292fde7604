"""SequencePAR besides being equal to the published one: kept keys and values, beams, any encoder, text, refusals."""
import re
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmpretrain.structures import DataSample

from mmspike.analysis.energy import OperationCounter
from mmspike.codecs import AttributeSequenceCodec
from mmspike.codecs.attribute_sequence import BOS, EOS, PAD
from mmspike.models import CLIPVision, TokenLoss
from mmspike.models.layers import phrases as phrases_of
from mmspike.models.layers import sequence_decoder
from mmspike.models.layers.image_memory import ImageMemory, token_grid
from mmspike.models.layers.phrases import CLIPPhrases, LearnedPhrases
from mmspike.models.layers.sequence_decoder import SequenceDecoder
from mmspike.models.layers.sequence_search import beam_search, greedy
from mmspike.models.layers.weight_panels import PANEL, linear, panels_of
from mmspike.registry import MODELS
from mmspike.utils.checkpoint import CheckpointError, compare_state_dict, mismatch_message
from mmspike.utils.text_embeddings import TextEmbeddings

A = 5
DECODER = dict(embed_dims=16, depth=2, num_heads=2, head_dims=4, feedforward_channels=24, dropout=0.0)
TEXT = dict(width=8, layers=2, heads=2, output_dims=16)
VISION = dict(width=8, layers=2, heads=2, output_dims=16, patch_size=8)
META = dict(attributes=list('abcde'), phrases=[f'a person with {what}' for what in ('a hat', 'a bag', 'boots', 'long '
                                                                                    'hair', 'glasses')],
            groups=list('xyxyz'), positive_ratio=[0.1, 0.2, 0.3, 0.4, 0.5])
SIZES = dict(context_length=12)
BACKBONES = {
    'clip': (dict(type='CLIPVision', arch=VISION, img_size=(32, 16)), None),
    'resnet': (dict(type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8, out_indices=(2, 3)),
               (32, 64)),
    'vit': (dict(type='mmpretrain.VisionTransformer', img_size=(32, 16), patch_size=8, out_type='raw',
                 arch=dict(embed_dims=12, num_layers=1, num_heads=2, feedforward_channels=16)), 12),
    'spikingformer': (dict(type='Spikingformer', arch=dict(embed_dims=16, depth=1, num_heads=2), num_steps=2), 16),
}


def build(backbone='resnet', **head):
    torch.manual_seed(0)
    config, channels = BACKBONES[backbone]
    head = dict(dict(type='SequenceHead', num_attributes=A, in_channels=channels, decoder=DECODER,
                     phrases=dict(type='LearnedPhrases', channels=8)), **head)
    return MODELS.build(dict(type='AttributeRecognizer', backbone=config, head=head))


def samples(*labels, **fields):
    return [DataSample(metainfo=dict(img_path=f'{i}.jpg')).set_gt_score(torch.tensor(row, dtype=torch.float32))
            for i, row in enumerate(labels)]


def parts(mode='eos', seed=0, images=3, sharp=4.0, **options):
    """Words, memory and a decoder sharp enough to write varied sequences, in float64."""
    torch.manual_seed(seed)
    codec = AttributeSequenceCodec(A, mode, **options)
    decoder = SequenceDecoder(codec.vocab_size, A + 1, **DECODER).double().eval()
    for parameter in decoder.parameters():
        parameter.data.mul_(sharp if parameter.ndim > 1 else 1)
    words = torch.randn(codec.vocab_size, 16, dtype=torch.float64)
    return decoder, words, torch.randn(images, 7, 16, dtype=torch.float64), codec


def all_sequences(decoder, words, memory, codec):
    """Every sequence of one image that may be generated, with its log-probability, each step from the whole prefix."""
    found, open_ = [], [([BOS], 0.)]
    while open_:
        prefix, total = open_.pop()
        tokens = torch.tensor([prefix])
        log_probs = codec.constrain(decoder(tokens, words, decoder.start(memory))[0][:, -1], tokens)[0]
        for token in log_probs.isfinite().nonzero().flatten().tolist():
            entry = [*prefix, token], total + float(log_probs[token])
            (found if token == EOS or len(prefix) == codec.length else open_).append(entry)
    return found


@pytest.mark.parametrize('mode', ['eos', 'legacy', 'posneg'])
@torch.no_grad()
def test_kept_keys_and_values_change_no_token(mode):
    varied = set()
    for seed in range(6):
        decoder, words, memory, codec = parts(mode, seed)
        ours = greedy(decoder, words, memory, codec)
        tokens, live = torch.zeros(3, 1, dtype=torch.long), torch.ones(3, dtype=torch.bool)
        for _ in range(codec.length):  # the whole prefix, anew
            logits = decoder(tokens, words, decoder.start(memory))[0][:, -1]
            token = codec.constrain(logits, tokens).argmax(-1).where(live, torch.tensor(PAD))
            tokens, live = torch.cat([tokens, token[:, None]], 1), live & (token != EOS)
        width = ours.tokens.shape[1]
        assert torch.equal(ours.tokens, tokens[:, :width]) and (tokens[:, width:] <= PAD).all()
        assert torch.equal(codec.scores(ours.log_probs, ours.tokens).float() > 0.5, codec.decode(ours.tokens))
        varied |= set(map(tuple, ours.tokens.tolist()))
    assert len(varied) > 6


@torch.no_grad()
def test_any_split_of_the_tokens_gives_the_same_logits():
    decoder, words, memory, _ = parts('legacy')
    tokens = torch.tensor([[0, 3, 5, 2, 2, 2], [0, 4, 2, 6, 7, 3], [0, 2, 2, 3, 1, 5]])  # padding in the midst, too
    whole, _ = decoder(tokens, words, decoder.start(memory))
    state, pieces = decoder.start(memory), []
    for piece in tokens.split([2, 1, 3], 1):
        logits, state = decoder(piece, words, state)
        pieces.append(logits)
    torch.testing.assert_close(torch.cat(pieces, 1), whole, rtol=1e-12, atol=1e-12)
    again, _ = decoder(tokens, words, decoder.start(memory))
    assert torch.equal(whole, again)
    with pytest.raises(ValueError, match='7 tokens, expected at most 6'):
        decoder(tokens[:, :1], words, state)


@pytest.mark.parametrize('mode, options', [('eos', {}), ('eos', dict(constraint='no_repeat')), ('posneg', {})])
@torch.no_grad()
def test_one_beam_is_greedy(mode, options):
    for seed in range(4):
        decoder, words, memory, codec = parts(mode, seed, **options)
        one, beam = greedy(decoder, words, memory, codec), beam_search(decoder, words, memory, codec, 1)
        assert torch.equal(one.tokens, beam.tokens) and torch.equal(one.lengths, beam.lengths)
        assert torch.equal(one.stopped, beam.stopped)
        torch.testing.assert_close(one.log_probs, beam.log_probs)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(['eos', 'posneg']))
@torch.no_grad()
def test_many_beams_find_the_likeliest_of_all_sequences(seed, mode):
    decoder, words, memory, codec = parts(mode, seed, images=2)
    found = beam_search(decoder, words, memory, codec, 40)
    for image in range(2):
        tokens, total = max(all_sequences(decoder, words, memory[image:image + 1], codec), key=lambda entry: entry[1])
        length = int(found.lengths[image])
        assert found.tokens[image, :1 + length].tolist() == tokens
        own = found.log_probs[image, :length].gather(1, found.tokens[image, 1:1 + length, None]).sum()
        assert float(own) == pytest.approx(total)
        scores = codec.scores(found.log_probs, found.tokens)
        assert torch.equal(scores.float() > 0.5, codec.decode(found.tokens))


@pytest.mark.parametrize('beams', [1, 3])
@torch.no_grad()
def test_an_image_does_not_depend_on_its_batch(beams):
    decoder, words, memory, codec = parts(images=4)
    whole = beam_search(decoder, words, memory, codec, beams)
    for image in range(4):
        one = beam_search(decoder, words, memory[image:image + 1], codec, beams)
        n = int(one.lengths[0])
        assert n == int(whole.lengths[image]) and torch.equal(one.tokens[0], whole.tokens[image, :1 + n])


@torch.no_grad()
def test_a_legacy_prediction_does_not_depend_on_its_batch():
    """Although the sequences of a batch do, as published: they have no ends where all are equally long."""
    model = build(codec=dict(mode='legacy')).eval()
    torch.manual_seed(2)  # some of whose sequences end, at different lengths
    torch.nn.init.normal_(model.head.decoder.fc.weight, std=2)
    images = 5 * torch.randn(6, 3, 64, 32)
    whole = model(images, samples(*[[0] * A] * 6), mode='predict')
    assert len({len(sample.pred_tokens) for sample in whole}) > 1
    for image, sample in zip(images, whole, strict=True):
        one, = model(image[None], samples([0] * A), mode='predict')
        assert torch.equal(one.pred_tokens, sample.pred_tokens) and one.pred_stopped == sample.pred_stopped
        torch.testing.assert_close(one.pred_steps, sample.pred_steps, rtol=1e-4, atol=1e-5)
    assert any(EOS in sample.pred_tokens for sample in whole)


@torch.no_grad()
def test_an_end_that_is_forced_is_no_stop():
    decoder, words, memory, codec = parts(sharp=1.0)
    hidden = []
    handle = decoder.fc.register_forward_pre_hook(lambda _, args: hidden.append(args[0].flatten(0, 1)))
    greedy(decoder, words, memory, codec)
    handle.remove()
    mean = torch.cat(hidden).mean(0)
    for sign, stops in ((-1, False), (1, True)):
        decoder.fc.weight[EOS] = 50 * sign * mean
        for found in (greedy(decoder, words, memory, codec), beam_search(decoder, words, memory, codec, 2)):
            assert found.stopped.tolist() == [stops] * 3
            assert (found.tokens == EOS).any(1).all()


@pytest.mark.parametrize('mode', ['eos', 'legacy', 'posneg'])
@pytest.mark.parametrize('kind', BACKBONES)
def test_loss_and_predictions_on_any_backbone(kind, mode):
    model = build(kind, codec=dict(mode=mode))
    images = torch.randn(3, 3, *((64, 32) if kind == 'resnet' else (32, 16)))
    data = samples([1, 0, 1, 1, 0], [0, 0, 0, 0, 0], [1, 1, -1, 1, 1])
    loss = model(images, data, mode='loss')['loss']
    loss.backward()
    assert loss > 0 and [name for name, p in model.named_parameters() if p.grad is None] == []
    model.eval()
    with torch.no_grad():
        logits, predicted = model(images), model(images, data, mode='predict')
        features = [x[:1] for x in model.extract_feat(images)]
        looks = model.head.looks(features, predicted[0].pred_tokens, images.shape[-2:])
    scores = torch.stack([sample.pred_score for sample in predicted])
    torch.testing.assert_close(scores, logits.sigmoid(), rtol=1e-4, atol=1e-5)
    shares = looks.sum((1, 2))
    if kind in ('clip', 'vit'):  # the rest is what the class token gets
        assert (shares > 0.3).all() and (shares < 1).all()
    else:
        torch.testing.assert_close(shares, torch.ones(len(predicted[0].pred_tokens)))
    for sample in predicted:
        emitted = sample.pred_sequence[sample.pred_sequence < A].unique().tolist()
        assert (sample.pred_score > 0.5).nonzero().flatten().tolist() == emitted
        assert len(sample.pred_steps) - len(sample.pred_sequence) in (0, 1)


def test_a_batch_without_positives():
    nothing = samples([0, 0, 0, 0, 0], [-1, 0, -1, 0, 0])
    images = torch.randn(2, 3, 64, 32)
    for mode in ('eos', 'legacy'):
        model = build(codec=dict(mode=mode))
        loss = model(images, nothing, mode='loss')['loss']
        loss.backward()
        assert loss.isfinite() and (loss.item() > 0) == (mode == 'eos')
        assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


def test_an_unknown_label_takes_no_part_in_the_loss():
    """Whatever the model says of it."""
    model = build().eval()
    images, data = torch.randn(1, 3, 64, 32), samples([1, -1, 0, 1, 0])
    losses = []
    for factor in (1, 100):
        model.head.decoder.fc.weight.data[4] *= factor
        losses.append(model(images, data, mode='loss')['loss'])
    assert torch.equal(*losses)


def test_weights_of_tokens():
    loss = TokenLoss(weighted=True, positive_ratio=[0.1, 0.6])
    logits, targets = torch.randn(2, 3, 5), torch.tensor([[3, 4, 1], [1, 2, 2]])
    weights = torch.tensor([1, 1, 1, 2.718281828**0.9, 2.718281828**0.4])
    expected = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), weights, ignore_index=2)
    torch.testing.assert_close(loss(logits, targets), expected)
    both = torch.randn(1, 2, 7)
    weights = torch.cat([weights, torch.tensor([2.718281828**0.1, 2.718281828**0.6])])
    expected = torch.nn.functional.cross_entropy(both[0], torch.tensor([3, 6]), weights)
    torch.testing.assert_close(loss(both, torch.tensor([[3, 6]])), expected)
    with pytest.raises(ValueError, match="TokenLoss: the training set's ratios of positive labels are not known"):
        TokenLoss(weighted=True)(logits, targets)
    with pytest.raises(ValueError, match='TokenLoss: 2 ratios of positive labels for 3 attributes'):
        loss(torch.randn(1, 1, 6), torch.tensor([[3]]))


@pytest.mark.parametrize('change, message', [
    (dict(codec=dict(max_positives=2)), '0.jpg has 3 positive attributes, a sequence holds max_positives=2'),
    (dict(in_channels=None), r'the image is \[1, 64, 2, 1\], expected \[B, M, 16\]. Set model.head.in_channels'),
    (dict(in_channels=7), r'in_channels is \[7\]: expected maps'),
])
def test_what_does_not_fit(change, message):
    with pytest.raises(ValueError, match=message):
        build(**change)(torch.randn(1, 3, 64, 32), samples([1, 0, 1, 1, 0]), mode='loss')


def test_labels_and_beams_that_do_not_fit():
    with pytest.raises(ValueError, match='SequenceHead: 3 labels per image, 5 attributes'):
        build()(torch.randn(1, 3, 64, 32), samples([1, 0, 1]), mode='loss')
    with pytest.raises(ValueError, match='num_beams is 0'):
        build(num_beams=0)
    with pytest.raises(ValueError, match='embed_dims is 18, expected a multiple of 4'):
        build(decoder=dict(DECODER, embed_dims=18))


def test_attention_on_the_image():
    memory = ImageMemory((2, 3), 8)
    features = [torch.zeros(1, 2, 4, 2), torch.zeros(1, 3, 2, 1)]
    looks = torch.zeros(1, 10)
    looks[0, 3], looks[0, 9] = 0.25, 0.75  # a place of the fine map, the lower one of the coarse
    on_image = memory.on_image(looks, features, (64, 32))
    assert on_image.shape == (1, 4, 2) and float(on_image.sum()) == pytest.approx(1)
    assert float(on_image[0, 1, 1]) == pytest.approx(0.25) and float(on_image[0, 3, 0]) == pytest.approx(0.75 / 4)
    assert token_grid(257, (224, 224)) == (16, 16) and token_grid(128, (256, 128)) == (16, 8)
    assert token_grid(7, (224, 224)) is None and token_grid(105, (250, 120)) == token_grid(106, (250, 120)) == (15, 7)


def test_positions_of_a_clip_for_another_size():
    torch.manual_seed(0)
    small, wide = CLIPVision(VISION, 32), CLIPVision(VISION, (64, 32))
    wide.load_state_dict(small.state_dict())
    old, new = (tower.positional_embedding for tower in (small, wide))
    assert torch.equal(old[0], new[0]) and new.shape == (33, 8)
    torch.testing.assert_close(new[1:].mean(0), old[1:].mean(0), rtol=0, atol=0.05)
    flat = CLIPVision(VISION, 32)
    flat.positional_embedding.data[:] = torch.arange(8.)
    wide.load_state_dict(flat.state_dict())
    torch.testing.assert_close(wide.positional_embedding, torch.arange(8.).expand(33, 8))
    flat = CLIPVision(VISION, (128, 16))  # as many places on another grid
    flat.load_state_dict(wide.state_dict())
    back = CLIPVision(VISION, (64, 32))
    back.load_state_dict(flat.state_dict())
    assert not torch.equal(flat.positional_embedding, wide.positional_embedding)
    assert flat.state_dict()['position_grid'].tolist() == [16, 2] == [*flat.grid] and back.grid == (8, 4)
    square = {name: value for name, value in small.state_dict().items() if name != 'position_grid'}
    wider = CLIPVision(VISION, (16, 64))  # of a published file, whose grid is a square
    wider.load_state_dict(square)
    assert wider.positional_embedding.shape == (17, 8) and not torch.equal(wider.positional_embedding, old)
    with pytest.raises(ValueError, match=re.escape('images of 48x32, expected 64x32. Set model.backbone.img_size='
                                                   '"(48,32)"')):
        wide(torch.zeros(1, 3, 48, 32))
    for change, told in ((dict(width=12), 'width 12, 2 layers, patches of 8'),
                         (dict(layers=3), 'width 8, 3 layers, patches of 8'),
                         (dict(patch_size=4), 'width 8, 2 layers, patches of 4')):
        with pytest.raises(CheckpointError, match='the weights are of a CLIP of width 8, 2 layers, patches of 8, '
                                                  f'projected to 16, the model is one of {told}, projected to 16. Set '
                                                  'model.backbone.arch'):
            CLIPVision(dict(VISION, **change), 32).load_state_dict(small.state_dict())
    with pytest.raises(ValueError, match="arch is 'ViT-L/15'; expected one of .*Did you mean 'ViT-L/14'"):
        CLIPVision('ViT-L/15')


@pytest.mark.parametrize('tower', ['vision', 'text'])
def test_computing_blocks_again_changes_no_gradient(tower):
    grads = []
    for again in (False, True):
        torch.manual_seed(0)
        if tower == 'vision':
            model, inputs = CLIPVision(VISION, 32, with_cp=again), (torch.randn(2, 3, 32, 32),)
        else:
            model, inputs = CLIPPhrases(A, TEXT, frozen=False, with_cp=again, **SIZES), ()
            model.set_tokens(torch.arange(A * 12).view(A, 12))
        out = model(*inputs)
        (out[0] if tower == 'vision' else out).square().sum().backward()
        grads.append({name: p.grad for name, p in model.named_parameters()})
    torch.testing.assert_close(*grads)


def test_a_size_that_is_none():
    with pytest.raises(ValueError, match='CLIPVision: arch is a dict of width, layers, heads, output_dims; expected '
                                         'width, layers, heads, output_dims, patch_size'):
        CLIPVision(TEXT, 32)
    with pytest.raises(ValueError, match='CLIPPhrases: arch is a dict of depth; expected width, layers'):
        CLIPPhrases(A, dict(depth=3))


@pytest.mark.parametrize('beams', [1, 3])
def test_scores_in_half_precision_say_what_was_emitted(beams):
    """Between 0.5 and what is above it bfloat16 has no number; nor do sums of many steps fit into it."""
    decoder, words, memory, codec = parts(images=64, sharp=1.0)
    memory, decoder = memory.bfloat16(), decoder.bfloat16()
    with torch.no_grad():
        found = (greedy(decoder, words.bfloat16(), memory, codec) if beams == 1 else
                 beam_search(decoder, words.bfloat16(), memory, codec, beams))
    assert found.log_probs.dtype == torch.float32
    assert torch.equal(codec.scores(found.log_probs, found.tokens) > 0.5, codec.decode(found.tokens))


def test_a_frozen_text_tower_that_ran_for_inference_can_be_trained_with():
    model = build('clip', phrases=dict(type='CLIPPhrases', arch=TEXT, **SIZES))
    model.head.phrases.set_tokens(torch.arange(A * 12).view(A, 12))
    model.head.word_proj = torch.nn.Linear(16, 16)
    with torch.inference_mode():
        model(torch.randn(1, 3, 32, 16))
    model(torch.randn(1, 3, 32, 16), samples([1, 0, 1, 1, 0]), mode='loss')['loss'].backward()
    assert model.head.word_proj.weight.grad.abs().sum() > 0


@pytest.fixture
def tokenizer():
    pytest.importorskip('open_clip', reason='the tokenizer of CLIP is that of open_clip_torch')


def test_a_frozen_text_tower_runs_once_and_again_after_loading(tokenizer):
    phrases = CLIPPhrases(A, TEXT, **SIZES)
    assert not phrases.is_told
    with pytest.raises(ValueError, match='the phrases are not known'):
        phrases()
    phrases.read_meta(META)
    features = phrases()
    assert features.shape == (A, 16) and phrases() is features and not features.requires_grad
    assert phrases.tokens[0, 0] == 49406 and (phrases.tokens == 49407).sum(1).tolist() == [1] * A
    phrases.double()
    torch.testing.assert_close(phrases(), features.double(), rtol=1e-4, atol=1e-5)
    torch.manual_seed(5)
    other = CLIPPhrases(A, TEXT, **SIZES)
    other.load_state_dict(phrases.state_dict())  # phrases come with the weights
    torch.testing.assert_close(other(), features, rtol=1e-4, atol=1e-5)
    published = {name: value for name, value in phrases.state_dict().items() if name != 'tokens'}
    assert other.load_state_dict(published).missing_keys == [] and other.is_told
    stated = CLIPPhrases(A, TEXT, phrases=META['phrases'][::-1], **SIZES)
    stated.load_state_dict(phrases.state_dict())
    torch.testing.assert_close(stated(), features.flip(0), rtol=1e-4, atol=1e-5)


def test_absences_and_templates(tokenizer):
    plain, both = CLIPPhrases(A, TEXT, **SIZES), CLIPPhrases(A, TEXT, negatives=True, negative='no {}', **SIZES)
    plain.read_meta(dict(META, phrases=[f'no {phrase}' for phrase in META['phrases']]))
    both.read_meta(META)
    assert torch.equal(both.tokens[A:], plain.tokens)


def test_a_trained_text_tower_gets_gradients(tokenizer):
    model = build('clip', phrases=dict(type='CLIPPhrases', arch=TEXT, frozen=False, **SIZES), codec=dict(order='group'))
    model.head.read_meta(META)
    model(torch.randn(2, 3, 32, 16), samples([1, 0, 1, 1, 0], [0, 1, 0, 0, 0]), mode='loss')['loss'].backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []
    assert model.head.phrases.token_embedding.weight.grad.abs().sum() > 0


@pytest.mark.parametrize('meta, message', [
    (dict(META, phrases=['a hat', 'a bag', 'a hat', 'x', 'y']), "'a' and 'c' have the same phrase, 'a hat'"),
    (dict(META, phrases=['a hat', 'a bag', 'A  hat ', 'x', 'y']), "'a' and 'c' have the same phrase, 'a hat' and 'A  "),
    (dict(META, phrases=['a hat']), '1 phrases in the metainfo of the data set, expected 5, one per attribute'),
    (dict(META, phrases=['hat ' * 20, 'b', 'c', 'd', 'e']), 'has 22 tokens with start and end, expected at most 12'),
])
def test_phrases_that_do_not_fit(tokenizer, meta, message):
    with pytest.raises(ValueError, match=message):
        CLIPPhrases(A, TEXT, **SIZES).read_meta(meta)


def test_words_from_a_file(tmp_path):
    path, names = tmp_path / 'text.npz', list('abcde')
    vectors = torch.randn(A, 6).numpy()
    TextEmbeddings(names, META['phrases'], vectors, 'toy').write(path)
    model = build(phrases=dict(type='FilePhrases', text_embeddings=str(path)))
    assert model.head.attributes == names and 'head.phrases.vectors' not in model.state_dict()
    torch.testing.assert_close(model.head.words()[3:], model.head.word_proj(torch.from_numpy(vectors)))
    with pytest.raises(ValueError, match="has no vectors for the absence of an attribute, which mode 'posneg' needs"):
        build(phrases=dict(type='FilePhrases', text_embeddings=str(path)), codec=dict(mode='posneg'))
    TextEmbeddings(names, META['phrases'], vectors, 'toy', [f'not {p}' for p in META['phrases']], -vectors).write(path)
    model = build(phrases=dict(type='FilePhrases', text_embeddings=str(path)), codec=dict(mode='posneg'))
    torch.testing.assert_close(model.head.phrases()[A:], torch.from_numpy(-vectors))
    TextEmbeddings(names, ['x'] * A, vectors, 'toy').write(path)
    with pytest.raises(ValueError, match=f"{path}: 'a' and 'b' have the same phrase, 'x', so that the model could not"):
        build(phrases=dict(type='FilePhrases', text_embeddings=str(path)))
    TextEmbeddings(names, META['phrases'], vectors[[0, 1, 1, 3, 4]], 'toy').write(path)
    with pytest.raises(ValueError, match="'b' and 'c' have the same phrase, 'a person with a bag' and 'a person"):
        build(phrases=dict(type='FilePhrases', text_embeddings=str(path)))
    assert LearnedPhrases(3, 4)().shape == (3, 4)


def test_weights_of_other_text_features_are_told_of(tmp_path, monkeypatch):
    told, states = [], []
    monkeypatch.setattr(phrases_of, 'print_log', lambda message, *args: told.append(message))
    for name in ('clip.npz', 'mpnet.npz'):
        TextEmbeddings(list('abcde'), META['phrases'], torch.randn(A, 6).numpy(), name).write(tmp_path / name)
        model = build(phrases=dict(type='FilePhrases', text_embeddings=str(tmp_path / name)))
        states.append(model.state_dict())
    model.load_state_dict(states[1])
    assert told == []
    model.load_state_dict(states[0])
    assert len(told) == 1 and f'other text features than those of {tmp_path}/mpnet.npz' in told[0]
    states[0].pop('head.phrases.checksum')  # published
    model.load_state_dict(states[0])
    assert len(told) == 1


def test_weights_of_another_mode_say_so():
    other = build(codec=dict(mode='posneg')).state_dict()
    difference = compare_state_dict(build(phrases=dict(type='LearnedPhrases', channels=8)), {
        name: value for name, value in other.items() if 'phrases' not in name} | {
            'head.phrases.vectors': torch.zeros(A, 8)})
    assert 'another model.head.codec.mode' in mismatch_message(difference, 'a.pth')


def test_options_that_follow_from_others_are_refused():
    for head, option in ((dict(codec=dict(num_attributes=3)), 'codec.num_attributes'),
                         (dict(decoder=dict(DECODER, max_length=9)), 'decoder.max_length'),
                         (dict(phrases=dict(type='LearnedPhrases', channels=8, negatives=True)), 'phrases.negatives')):
        with pytest.raises(ValueError, match=f'Leave out model.head.{option}'):
            build(**head)
    with pytest.raises(ValueError, match="template is 'a person'; expected a text with {} where the phrase goes"):
        CLIPPhrases(A, TEXT, template='a person', **SIZES)


@pytest.mark.parametrize('shape', [(8, 1, 6), (3, 11, 6), (2, 2, 8, 6)])
def test_weights_in_panels_are_the_same_weights(shape):
    layer = torch.nn.Linear(6, 2 * PANEL).double()
    x = torch.randn(shape, dtype=torch.float64, requires_grad=True)
    panels = panels_of([layer, torch.nn.Linear(6, PANEL + 1)], rows=8)
    assert list(panels) == [layer] and panels[layer].shape == (2, 6, PANEL)
    y, expected = linear(layer, x, panels), layer(x)
    torch.testing.assert_close(y, expected, rtol=1e-12, atol=1e-12)
    found, right = (torch.autograd.grad(out.square().sum(), [x, layer.weight, layer.bias]) for out in (y, expected))
    torch.testing.assert_close(found, right, rtol=1e-12, atol=1e-12)


def test_panels_are_for_few_rows_in_full_precision():
    layer = torch.nn.Linear(6, PANEL)
    assert panels_of([layer], rows=1) == panels_of([layer], rows=33) == panels_of([layer.half()], rows=8) == {}
    with torch.autocast('cpu'):
        assert panels_of([layer.float()], rows=8) == {}


@pytest.mark.parametrize('beams', [1, 2])
def test_long_sequences_are_the_same_from_panels(monkeypatch, beams):
    head = dict(type='LearnedPhrases', channels=8)
    model = build(codec=dict(mode='posneg'), phrases=head, num_beams=beams, decoder=dict(
        DECODER, embed_dims=PANEL, head_dims=PANEL // 2, feedforward_channels=PANEL)).double().eval()
    images = torch.randn(4, 3, 64, 32, dtype=torch.float64)
    with torch.no_grad():
        features = model.extract_feat(images)
        expected = model.head.generate(features)
        monkeypatch.setattr(sequence_decoder, 'LONG', 2)
        counts, plain = [], sequence_decoder.linear
        monkeypatch.setattr(sequence_decoder, 'linear', lambda *args: counts.append(len(args[2])) or plain(*args))
        found = model.head.generate(features)
    assert counts == 2 * 12 * [0] + 3 * 12 * [12]  # 5 steps of 2 layers of 6
    assert torch.equal(found.tokens, expected.tokens)
    torch.testing.assert_close(found.log_probs, expected.log_probs, rtol=1e-10, atol=1e-10)


def test_a_layer_in_panels_is_counted_as_itself():
    """Panels are a copy of the weights and repeat their input: neither is more weights, nor more that is read."""

    class InPanels(torch.nn.Module):

        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(6, 2 * PANEL)

        def forward(self, x, rows):
            return linear(self.layer, x, panels_of([self.layer], rows))

    model, x, accounts = InPanels(), torch.randn(8, 6), []
    for rows in (1, 8):
        with OperationCounter(model) as counter:
            model(x, rows)
            accounts.append(counter.take(8).layers)
    plain, panels = (account['layer'] for account in accounts)
    assert accounts[0].keys() == accounts[1].keys() and panels.operator == 'baddbmm'
    assert replace(panels, operator=plain.operator) == plain
