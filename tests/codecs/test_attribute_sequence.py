"""Labels to tokens and back: any labels, all modes and orders; what may follow; scores; what is refused."""
import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmspike.codecs import AttributeSequenceCodec
from mmspike.codecs.attribute_sequence import BOS, EOS, FIRST, PAD
from mmspike.registry import TASK_UTILS

META = dict(groups=['head', 'legs', 'head', 'arms', 'legs'], positive_ratio=[0.1, 0.4, 0.2, 0.4, 0.3])
LABELS = torch.tensor([[1., 0, 1, 1, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]])


def build(count=5, **options):
    codec = TASK_UTILS.build(dict(type='AttributeSequenceCodec', num_attributes=count, **options))
    codec.read_meta({key: values[:count] for key, values in META.items()})
    return codec


@pytest.mark.parametrize('mode, rows', [
    ('eos', [[0, 3, 5, 6, 1, 2, 2], [0, 1, 2, 2, 2, 2, 2], [0, 3, 4, 5, 6, 7, 1]]),
    ('legacy', [[0, 3, 5, 6, 2, 2], [0, 2, 2, 2, 2, 2], [0, 3, 4, 5, 6, 7]]),
    ('posneg', [[0, 3, 9, 5, 6, 12], [0, 8, 9, 10, 11, 12], [0, 3, 4, 5, 6, 7]]),
])
def test_the_tokens_of_each_mode(mode, rows):
    assert build(mode=mode).encode(LABELS).tolist() == rows


@pytest.mark.parametrize('order, attributes', [('dataset', [0, 1, 2, 3, 4]), ('group', [0, 2, 1, 4, 3]),
                                               ('frequency', [1, 3, 4, 2, 0])])
def test_orders(order, attributes):
    codec = build(order=order)
    assert codec.order.tolist() == attributes
    assert codec.encode(torch.ones(1, 5))[0].tolist() == [BOS, *(FIRST + a for a in attributes), EOS]
    assert ('order' in codec.state_dict()) == (order != 'dataset')


@pytest.mark.parametrize('mode, order', itertools.product(('eos', 'legacy', 'posneg'), ('dataset', 'frequency')))
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_there_and_back(mode, order, data):
    labels = torch.tensor(data.draw(st.lists(st.lists(st.sampled_from([0, 1, -1, 2]), min_size=5, max_size=5),
                                             min_size=1, max_size=4)))
    codec = build(mode=mode, order=order)
    tokens = codec.encode(labels)
    assert tokens.shape == (len(labels), 1 + codec.length) and int(tokens.max()) < codec.vocab_size
    assert torch.equal(codec.decode(tokens), labels == 1)
    for end in range(1, tokens.shape[1]):  # every true token may be generated
        forbidden = codec.forbidden(tokens[:, :end])
        if forbidden is not None:
            real = tokens[:, end] != PAD
            assert not forbidden.gather(1, tokens[:, end:end + 1])[real].any()


def test_what_may_follow():
    tokens = torch.tensor([[BOS, FIRST + 2]])
    allowed = {name: (~build(constraint=name).forbidden(tokens)[0]).nonzero().flatten().tolist()
               for name in ('monotone', 'no_repeat')}
    assert allowed == dict(monotone=[EOS, FIRST + 3, FIRST + 4],
                           no_repeat=[EOS, FIRST, FIRST + 1, FIRST + 3, FIRST + 4])
    assert build(constraint='none').forbidden(tokens) is None and build(mode='legacy').forbidden(tokens) is None
    assert (~build(mode='posneg').forbidden(tokens)[0]).nonzero().flatten().tolist() == [FIRST + 1, FIRST + 6]
    full = build(max_positives=1).forbidden(tokens)[0]
    assert (~full).nonzero().flatten().tolist() == [EOS]


def test_unknown_labels_are_left_out_of_targets():
    labels = torch.tensor([[1, -1, 0, 2, 1]])
    codec = build(mode='posneg')
    assert codec.targets(codec.encode(labels), labels).tolist() == [[3, PAD, 10, PAD, 7]]
    assert codec.unknown(labels)[0].nonzero().flatten().tolist() == [4, 6, 9, 11]
    assert build().unknown(labels)[0].nonzero().flatten().tolist() == [4, 6]


def chain(codec, log_probs, tokens):
    """The decisions of the docstring, one by one, in plain Python."""
    p, order, scores, step = log_probs.exp(), codec.order.tolist(), {}, 0
    emitted = set((tokens[1:] - FIRST).tolist())
    for place, attribute in enumerate(order):
        after = sum(float(p[step, FIRST + other]) for other in order[place:]) + float(p[step, EOS])
        scores[attribute] = float(p[step, FIRST + attribute]) / after
        step += attribute in emitted
    return [scores[a] for a in range(len(order))]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(['dataset', 'frequency']))
def test_scores_are_the_chain_of_decisions_and_above_a_half_where_emitted(seed, order):
    torch.manual_seed(seed)
    codec = build(order=order)
    tokens, steps = torch.tensor([[BOS]]), []
    while int(tokens[0, -1]) != EOS:
        steps.append(codec.constrain(2 * torch.randn(1, codec.vocab_size, dtype=torch.float64), tokens))
        tokens = torch.cat([tokens, steps[-1].argmax(-1)[:, None]], 1)
    log_probs = torch.stack(steps, 1)
    scores, emitted = codec.scores(log_probs, tokens)[0], codec.decode(tokens)[0]
    assert torch.equal(scores.float() > 0.5, emitted)
    raw = torch.tensor(chain(codec, log_probs[0], tokens[0]), dtype=torch.float64)
    same = torch.where(emitted, raw > 0.5, raw <= 0.5)
    torch.testing.assert_close(scores[same], raw[same])
    decisions = torch.where(emitted, raw, 1 - raw)  # all of them together are the sequence
    chosen = log_probs[0].gather(1, tokens[0, 1:, None]).sum()
    torch.testing.assert_close(decisions.log().sum(), chosen)


def test_scores_without_order_and_of_absences():
    log_probs = torch.tensor([[[0, .1, 0, .6, .3, 0, 0, 0], [0, .7, 0, 0, .2, .1, 0, 0]]]).log()
    tokens = torch.tensor([[BOS, FIRST, EOS]])
    scores = build(constraint='no_repeat').scores(log_probs, tokens)
    torch.testing.assert_close(scores, torch.tensor([[.6, .3, .1, 0, 0]]))
    codec = AttributeSequenceCodec(2, 'posneg')
    log_probs = torch.tensor([[[0, 0, 0, .8, 0, .2, 0], [0, 0, 0, 0, .3, 0, .7]]]).log()
    scores = codec.scores(log_probs, torch.tensor([[BOS, FIRST, FIRST + 3]]))
    torch.testing.assert_close(scores, torch.tensor([[.8, .3]]))


@pytest.mark.parametrize('options, message', [
    (dict(mode='eso'), "mode is 'eso'; expected one of 'eos', 'legacy', 'posneg'"),
    (dict(order='size'), "order is 'size'"),
    (dict(constraint='one'), "constraint is 'one'"),
    (dict(num_attributes=0), 'num_attributes is 0; expected at least 1. Set model.head.num_attributes'),
    (dict(mode='posneg', constraint='none'), 'leave out constraint and max_positives'),
    (dict(max_positives=9), 'max_positives is 9; expected 1 to 5'),
])
def test_what_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        AttributeSequenceCodec(**dict(dict(num_attributes=5), **options))


def test_more_positives_than_a_sequence_holds():
    codec = build(max_positives=3)
    assert codec.encode(LABELS[:2]).shape == (2, 5)
    with pytest.raises(ValueError, match='c.jpg has 5 positive attributes, a sequence holds max_positives=3. Leave out '
                                         'model.head.codec.max_positives'):
        codec.encode(LABELS, ['a.jpg', 'b.jpg', 'c.jpg'])
    with pytest.raises(ValueError, match=r'labels are \[3, 4\], expected \[B, 5\]'):
        codec.encode(LABELS[:, :4])


def test_an_order_that_nobody_told():
    codec = AttributeSequenceCodec(5, order='group')
    with pytest.raises(ValueError, match='order of the attributes by group is not known. Load a checkpoint, keep '
                                         'AttributePhrasesHook'):
        codec.encode(LABELS)
    with pytest.raises(ValueError, match="needs 'groups' of 5 attributes in the metainfo of the data set, which has 0"):
        codec.read_meta({})
    codec.load_state_dict(build(order='group').state_dict())
    assert codec.is_told and codec.encode(LABELS).shape == (3, 7)


def test_published_sets_of_tokens(golden):
    case = torch.load(golden / 'cases/sequencepar_metrics.pt', weights_only=True)
    inputs = case['inputs']['set']
    got = AttributeSequenceCodec(inputs['num_attrs'], 'legacy').decode(inputs['tokens'])
    np.testing.assert_array_equal(got.double(), case['outputs']['set']['predicted_set'])
