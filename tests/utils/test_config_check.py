"""Unusual but legal configs pass; a config's problems come all at once; nothing is built on the way."""
import subprocess
import sys
import textwrap

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import worker_init_fn
from mmengine.optim import DefaultOptimWrapperConstructor
from tiny_parts import SGD, TinyHook, TinyNet, TinyNeuron, loader, problems

from mmspike.utils.config_check import ConfigError, check_config

LEGAL = {
    'variables of the user': dict(
        data_root='data', num_classes=4, dataset_type='TinyVideos', train_pipeline=[dict(type='Nothing')],
        test_pipeline=[], img_norm=dict(mean=[1]), base_lr=0.1, train_dataset=dict(type='Nothing'), clip_len=8),
    'a class object': dict(model=dict(type=TinyNet, width=1)),
    'a function': dict(model=dict(type='tiny_net', width=1)),
    'a path into a module': dict(model=dict(type='torch.nn.Linear', in_features=1, out_features=2)),
    'something built already': dict(model=TinyNeuron(), custom_hooks=[TinyHook()]),
    'a list of models': dict(model=[dict(type='TinyNeuron'), dict(type='TinyNeuron', tau=1.)]),
    'reserved keys': dict(_base_=['a.py'], model=dict(
        type='TinyNet', width=1, _delete_=True, neuron=dict(_delete_=True, type='TinyNeuron'))),
    'another scope for one part': dict(model=dict(
        type='mmpretrain.ImageClassifier', _scope_='mmpretrain', backbone=dict(type='ResNet', depth=18),
        head=dict(type='LinearClsHead', num_classes=3, in_channels=512))),
    'normalisation of the library': dict(model=dict(type='mmpretrain.ConvNeXt', norm_cfg=dict(
        type='LN2d', eps=1e-6, requires_grad=False))),
    'what the owner adds to a part': dict(model=dict(type='TinyNet', width=1, norm=dict(type='TinyNorm'))),
    'a type that only the owner knows': dict(model=dict(type='TinyNet', width=1, kind=dict(type='plain', any_thing=1))),
    'an option that is no component': dict(model=dict(type='TinyNet', width=1, options=dict(type='big', size=1))),
    'options under numbers': dict(model=dict(type='TinyNet', width=1, options={1: 'a', 2: dict(type='TinyNeuron')},
                                             arch={0: dict(type='TinyNeuron')})),
    'arguments of the base class': dict(model=dict(type='TinyChild', width=1, depth=3, neuron=None)),
    'arguments that are kept': dict(model=dict(type='TinyWholesale', anything=3, at=dict(all=1))),
    'an argument read out of **kwargs': dict(model=dict(type='TinyDeaf', width=3)),
    'initialisations with an override': dict(model=dict(type='TinyNet', width=1, init_cfg=[
        dict(type='Kaiming', layer=['Conv2d'], bias=0, override=dict(type='Normal', name='head', std=0.01)),
        dict(type='Pretrained', checkpoint='a.pth', prefix='backbone.')])),
    'the preprocessor beside the model': dict(data_preprocessor=dict(mean=[0.], std=[1.])),
    'a built transform': dict(train_dataloader=loader([torch.nn.Identity(), dict(type='TinyCrop', input_size=1)])),
    'transforms in branches': dict(train_dataloader=loader([dict(
        type='mmpretrain.RandomChoice', transforms=[[dict(type='TinyCrop', input_size=1)], []])])),
    'data loaders at length': dict(train_dataloader=loader(
        num_workers=2, persistent_workers=True, num_batch_per_epoch=4, collate_fn=dict(type='default_collate'),
        worker_init_fn=dict(type=worker_init_fn, num_workers=2, rank=0, seed=0), drop_last=True)),
    'a collate function as such': dict(train_dataloader=loader(collate_fn=list)),
    'no data': dict(train_dataloader=None, val_dataloader=None, val_cfg=None, val_evaluator=None),
    'loops': dict(
        train_cfg=dict(type='EpochBasedTrainLoop', max_epochs=3), val_cfg=dict(), test_cfg=dict(type='TestLoop')),
    'iterations': dict(train_cfg=dict(by_epoch=False, max_iters=3, val_interval=1)),
    'an optimizer at length': dict(optim_wrapper=dict(
        type='AmpOptimWrapper', optimizer=dict(type='AdamW', lr=1, betas=(.9, .95)), loss_scale='dynamic',
        accumulative_counts=2, clip_grad=dict(max_norm=5, norm_type=2, error_if_nonfinite=True),
        constructor=DefaultOptimWrapperConstructor, paramwise_cfg=dict(
            bias_decay_mult=0, norm_decay_mult=0, flat_decay_mult=0, bypass_duplicate=True,
            custom_keys={'.cls': dict(decay_mult=0), 'ann': dict(lr_mult=.1, momentum=.5)}))),
    'clipping by value': dict(optim_wrapper=dict(optimizer=SGD, clip_grad=dict(type='value', clip_value=1))),
    'several optimizers': dict(
        optim_wrapper=dict(
            constructor='TinyPairConstructor', a=dict(optimizer=SGD), b=dict(type='OptimWrapper', optimizer=SGD)),
        param_scheduler=dict(a=dict(type='StepLR', step_size=1), b=[])),
    'a constructor with keys of its own': dict(optim_wrapper=dict(
        constructor='mmaction.SwinOptimWrapperConstructor', optimizer=SGD, paramwise_cfg=dict(norm=dict(lr_mult=0)))),
    'schedulers by iteration': dict(param_scheduler=[
        dict(type='LinearLR', start_factor=.1, by_epoch=True, begin=0, end=5, convert_to_iter_based=True),
        dict(type='OneCycleLR', eta_max=1, total_steps=10)]),
    'default hooks': dict(default_hooks=dict(
        timer=None, checkpoint=dict(type='CheckpointHook', interval=1, save_best='auto', max_keep_ckpts=3),
        visualization=dict(type='mmaction.VisualizationHook', enable=True), mine=dict(type='TinyHook', priority=10))),
    'hooks that keep arguments': dict(custom_hooks=[dict(type='EMAHook', momentum=1e-3, update_buffers=True)]),
    'metrics': dict(
        val_evaluator=dict(type='Evaluator', metrics=dict(type='DumpResults', out_file_path='a.pkl')),
        test_evaluator=[]),
    'pictures': dict(visualizer=dict(type='Visualizer', name='v', vis_backends=[dict(type='LocalVisBackend')]),
                     vis_backends=[dict(type='TensorboardVisBackend', save_dir='a')]),
    'settings': dict(
        env_cfg=dict(cudnn_benchmark=False, mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
                     dist_cfg=dict(backend='nccl', timeout=3), resource_limit=4096),
        randomness=dict(seed=1, deterministic=True, diff_rank_seed=True),
        auto_scale_lr=dict(enable=True, base_batch_size=1),
        log_processor=dict(type='LogProcessor', window_size=10, custom_cfg=[dict(data_src='loss', method_name='mean')]),
        compile=dict(backend='eager'), sync_bn='torch', find_unused_parameters=True, experiment_name='e',
        custom_imports=dict(imports=['os'], allow_failed_imports=False), launcher='none', load_from=None, resume=True),
}


@pytest.mark.parametrize('cfg', LEGAL.values(), ids=LEGAL.keys())
def test_legal_config_passes(cfg):
    assert problems(cfg) == []


def test_all_problems_come_at_once_in_the_order_of_the_config():
    cfg = dict(model=dict(type='TinyNet', widht=1), train_cfg=dict(by_epoch=True, max_epoch=1), data_rot='x',
               randomness=dict(sead=1))
    with pytest.raises(ConfigError) as caught:
        check_config(cfg)
    paths = [line.split(':')[0] for line in caught.value.problems]
    assert paths == ['model.widht', 'train_cfg.max_epoch', 'randomness.sead']
    assert str(caught.value).startswith('3 problems in the config:\n  model.widht: ')


def test_config_file_is_named_and_left_as_it_was(tmp_path):
    file = tmp_path / 'mine.py'
    file.write_text("model = dict(type='TinyNet', widht=1, neuron=dict(type='TinyNeuron'))\n")
    cfg = Config.fromfile(file)
    before = cfg.pretty_text
    with pytest.raises(ConfigError, match=r'^1 problem in .*mine\.py:\n  model\.widht: '):
        check_config(cfg)
    assert cfg.pretty_text == before


def test_config_with_classes_instead_of_names(tmp_path):
    file = tmp_path / 'lazy.py'
    file.write_text('from mmengine.optim import OptimWrapper\nfrom torch.optim import SGD\n'
                    'optim_wrapper = dict(type=OptimWrapper, optimizer=dict(type=SGD, lrr=1))\n')
    assert problems(Config.fromfile(file)) == [
        "optim_wrapper.optimizer.lrr: SGD has no argument 'lrr' (came 1). Did you mean 'lr'?"]


def test_broken_library_does_not_hide_the_other_problems(tmp_path, monkeypatch):
    package = tmp_path / 'brokenlib'
    package.mkdir()
    (package / '__init__.py').touch()
    (package / 'registry.py').write_text('import module_that_is_not_there\n')
    monkeypatch.syspath_prepend(tmp_path)
    found = problems(dict(model=dict(type='brokenlib.Net'), randomness=dict(sead=1)))
    assert found[0] == ("model.type: 'brokenlib.Net' cannot be looked up (ModuleNotFoundError: No module named "
                        "'module_that_is_not_there'). `python -m mmspike.utils.collect_env` says what to do about a "
                        'broken library')
    assert found[1].startswith('randomness.sead: ')


def test_only_the_named_libraries_are_imported_and_nothing_is_built():
    code = '''
        import sys, time
        from mmengine.registry import MODELS
        from mmspike.utils.config_check import check_config

        @MODELS.register_module()
        class Explosive:
            def __init__(self, size=1):
                raise RuntimeError('built')

        start = time.perf_counter()
        check_config(dict(model=dict(type='Explosive', size=2),
                          optim_wrapper=dict(optimizer=dict(type='SGD', lr=1), paramwise_cfg=dict(norm_decay_mult=0)),
                          param_scheduler=dict(type='CosineAnnealingLR', T_max=1)))
        seconds = time.perf_counter() - start
        libraries = {'mmpretrain', 'mmaction', 'mmcv', 'mmspike.models', 'mmspike.datasets'} & set(sys.modules)
        print(seconds, *sorted(libraries))
    '''
    run = subprocess.run([sys.executable, '-c', textwrap.dedent(code)], capture_output=True, text=True, check=True)
    seconds, *libraries = run.stdout.split()
    assert float(seconds) < 2 and not libraries
