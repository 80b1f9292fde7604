"""A slip at any place of a config is named with its path and the nearest name."""
import pytest
from tiny_parts import SGD, TinyNeuron, loader, problems

SLIPS = {
    # What a component is called
    'a type': (
        dict(model=dict(type='TinyNat', width=1)),
        "model.type: no model is called 'TinyNat' in scope 'mmengine'. Did you mean 'TinyNet'?"),
    'a type of another kind': (
        dict(custom_hooks=[dict(type='TinyCrop')]),
        "custom_hooks.0.type: no hook is called 'TinyCrop' in scope 'mmengine'."),
    'capitals': (
        dict(optim_wrapper=dict(optimizer=dict(type='sgd'))),
        "optim_wrapper.optimizer.type: no optimizer is called 'sgd' in scope 'mmengine'. Did you mean 'SGD'"),
    'no type': (
        dict(model=dict(width=1)),
        "model: no 'type': came a dict of width, expected dict(type=..., ...) naming a model"),
    'a type that is no name': (
        dict(model=dict(type=3)), 'model.type: came 3, expected the name of a model or a class'),
    'a library': (
        dict(model=dict(type='mmpretrian.ResNet', depth=18)),
        "model.type: 'mmpretrian.ResNet' cannot be found: 'mmpretrian' is not a library with registries. "
        "Did you mean 'mmpretrain'?"),
    'a library that is not installed': (
        dict(model=dict(type='mmdet.RetinaNet')),
        "model.type: 'mmdet.RetinaNet' cannot be found: 'mmdet' is not installed. It comes with `pip install mmdet`"),
    'a path into a module': (
        dict(model=dict(type='torch.nn.Liner')),
        "model.type: 'torch.nn.Liner' cannot be found: 'torch' is not a library with registries."),
    'the scope': (
        dict(default_scope='mmspik', model=dict(type='TinyNet')),
        "default_scope: 'mmspik' is not a library with registries. Did you mean 'mmspike'?"),
    # Its arguments
    'an argument': (
        dict(model=dict(type='TinyNet', widht=8)), "model.widht: TinyNet has no argument 'widht' (came 8). "
        "Did you mean 'width'?"),
    'an argument without anything near': (
        dict(model=dict(type='TinyNeuron', zzyzx='a' * 80)),
        f"model.zzyzx: TinyNeuron has no argument 'zzyzx' (came '{'a' * 56}...). It takes tau, v_reset"),
    'a missing argument': (
        dict(model=dict(type='TinyNet', arch=3)), "model: TinyNet needs the argument 'width'; came arch"),
    'an argument of the base class': (
        dict(model=dict(type='TinyChild', width=1, archh=1)),
        "model.archh: TinyChild has no argument 'archh' (came 1). Did you mean 'arch'?"),
    'a missing argument of the base class': (
        dict(model=dict(type='TinyChild')), "model: TinyChild needs the argument 'width'; came nothing"),
    'an argument that the class gives to its base itself': (
        dict(model=dict(type='TinyChild', width=1, options=dict(size=2))),
        "model.options: TinyChild has no argument 'options' (came {'size': 2}). "
        'It takes arch, blocks, depth, init_cfg, kind, neuron, norm, width'),
    'an argument of a function': (
        dict(model=dict(type='tiny_net', width=1, deep=3)),
        "model.deep: tiny_net has no argument 'deep' (came 3). Did you mean 'depth'?"),
    'an argument of a class object': (
        dict(model=dict(type=TinyNeuron, tua=3)),
        "model.tua: TinyNeuron has no argument 'tua' (came 3). Did you mean 'tau'?"),
    'a slip where anything is taken': (
        dict(model=dict(type='TinyWholesale', widths=3)),
        "model.widths: TinyWholesale has no argument 'widths' (came 3). Did you mean 'width'?"),
    'what **kwargs swallow': (
        dict(model=dict(type='TinyDeaf', depth=3)),
        "model.depth: TinyDeaf has no argument 'depth' (came 3). It takes width"),
    'a key of an option that is a dict': (
        dict(model=dict(type='TinyNet', width=1, options=dict(sizes=2, colour='red'))),
        "model.options.sizes: options has no argument 'sizes' (came 2). Did you mean 'size'?"),
    # Parts
    'a part of a model': (
        dict(model=dict(type='TinyNet', width=1, neuron=dict(type='TinyNeuron', v_rest=None))),
        "model.neuron.v_rest: TinyNeuron has no argument 'v_rest' (came None). Did you mean 'v_reset'?"),
    'a part in lists in dicts': (
        dict(model=dict(type='TinyNet', width=1, arch=dict(stages=[1, [2, dict(type='TinyNuron')]]))),
        "model.arch.stages.1.1.type: no model is called 'TinyNuron' in scope 'mmengine'. Did you mean 'TinyNeuron'?"),
    'what a part needs and nobody adds': (
        dict(model=dict(type='TinyNet', width=1, blocks=dict(type='torch.nn.ZeroPad2d'))),
        'model.blocks: torch.nn.ZeroPad2d needs the argument ' + "'pad" "ding'" + '; came nothing'),
    'the part of another library without its prefix': (
        dict(model=dict(type='mmpretrain.ImageClassifier', backbone=dict(type='VGG', depth=11))),
        "model.backbone.type: no model is called 'VGG' in scope 'mmengine', where the parts of 'mmpretrain' components "
        "are looked up. Write 'mmpretrain.VGG', or _scope_='mmpretrain' beside the type of the whole"),
    'an argument of another library': (
        dict(model=dict(type='mmpretrain.ResNet', depth=18, out_indeces=(0,))),
        "model.out_indeces: mmpretrain.ResNet has no argument 'out_indeces' (came (0,)). Did you mean 'out_indices'?"),
    'an initialisation': (
        dict(model=dict(type='TinyNet', width=1, init_cfg=dict(type='Kaiming', moed='fan_out'))),
        "model.init_cfg.moed: Kaiming has no argument 'moed' (came 'fan_out'). Did you mean 'mode'?"),
    'one of several initialisations': (
        dict(model=dict(type='TinyNet', width=1, init_cfg=[dict(type='Constant', val=1), dict(type='Pretraind')])),
        "model.init_cfg.1.type: no weight initializer is called 'Pretraind' in scope 'mmengine'. "
        "Did you mean 'Pretrained'?"),
    # Data
    'a transform': (
        dict(train_dataloader=loader([dict(type='TinyCrop', input_size=1), dict(type='TinyCrops', input_size=1)])),
        "train_dataloader.dataset.pipeline.1.type: no transform is called 'TinyCrops' in scope 'mmengine'. "
        "Did you mean 'TinyCrop'?"),
    "a transform's argument": (
        dict(train_dataloader=loader([dict(type='TinyCrop', input_sizes=224)])),
        "train_dataloader.dataset.pipeline.0.input_sizes: TinyCrop has no argument 'input_sizes' (came 224). "
        "Did you mean 'input_size'?"),
    'a transform of mmaction': (
        dict(val_dataloader=loader([dict(type='mmaction.SampleFrames', clip_len=8, frame_intervall=2)])),
        'val_dataloader.dataset.pipeline.0.frame_intervall: mmaction.SampleFrames has no argument '
        "'frame_intervall' (came 2). Did you mean 'frame_interval'?"),
    'a transform inside transforms': (
        dict(train_dataloader=loader([dict(
            type='mmpretrain.RandomApply', transforms=[dict(type='mmaction.Fuse'), dict(type='mmaction.Flp')])])),
        "train_dataloader.dataset.pipeline.0.transforms.1.type: no transform is called 'mmaction.Flp' in scope "
        "'mmaction'. Did you mean 'mmaction.Flip'?"),
    'a dataset': (
        dict(test_dataloader=loader(dataset=dict(type='TinyVideoes', ann_file=''))),
        "test_dataloader.dataset.type: no dataset is called 'TinyVideoes' in scope 'mmengine'. "
        "Did you mean 'TinyVideos'?"),
    "an argument of a dataset's base": (
        dict(train_dataloader=loader(dataset=dict(type='TinyVideos', ann_file='', lazy_initt=True))),
        "train_dataloader.dataset.lazy_initt: TinyVideos has no argument 'lazy_initt' (came True). "
        "Did you mean 'lazy_init'?"),
    'a dataset inside a dataset': (
        dict(train_dataloader=loader(dataset=dict(type='RepeatDataset', times=2, dataset=dict(type='TinyVideos')))),
        "train_dataloader.dataset.dataset: TinyVideos needs the argument 'ann_file'; came nothing"),
    "a data loader's argument": (
        dict(train_dataloader=loader(num_wokers=2)),
        "train_dataloader.num_wokers: a data loader has no argument 'num_wokers' (came 2). "
        "Did you mean 'num_workers'?"),
    'a data loader without a sampler': (
        dict(train_dataloader=dict(dataset=dict(type='TinyVideos', ann_file=''))),
        "train_dataloader: a data loader needs the argument 'sampler'; came dataset"),
    'a sampler': (
        dict(train_dataloader=loader(sampler=dict(type='DefaultSampler', shufle=True))),
        "train_dataloader.sampler.shufle: DefaultSampler has no argument 'shufle' (came True). "
        "Did you mean 'shuffle'?"),
    'a batch sampler': (
        dict(train_dataloader=loader(batch_sampler=dict(type='AspectRatioBatchSamplr'))),
        "train_dataloader.batch_sampler.type: no data sampler is called 'AspectRatioBatchSamplr' in scope 'mmengine'."),
    'a collate function': (
        dict(train_dataloader=loader(collate_fn=dict(type='pseudo_colate'))),
        "train_dataloader.collate_fn.type: no function is called 'pseudo_colate' in scope 'mmengine'. "
        "Did you mean 'pseudo_collate'"),
    'a worker function': (
        dict(train_dataloader=loader(worker_init_fn=dict(type='worker_init'))),
        "train_dataloader.worker_init_fn.type: no function is called 'worker_init' in scope 'mmengine'."),
    # Optimisation
    'an optimizer': (
        dict(optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='AdanW'))),
        "optim_wrapper.optimizer.type: no optimizer is called 'AdanW' in scope 'mmengine'. "
        "Did you mean 'AdamW' or 'Adam'?"),
    "an optimizer's argument": (
        dict(optim_wrapper=dict(optimizer=dict(type='AdamW', lr=1, weight_decy=0))),
        "optim_wrapper.optimizer.weight_decy: AdamW has no argument 'weight_decy' (came 0). "
        "Did you mean 'weight_decay'?"),
    'no optimizer': (
        dict(optim_wrapper=dict(type='OptimWrapper')),
        "optim_wrapper: OptimWrapper needs the argument 'optimizer'; came nothing"),
    'an argument of the wrapper': (
        dict(optim_wrapper=dict(type='AmpOptimWrapper', optimizer=SGD, acumulative_counts=2)),
        "optim_wrapper.acumulative_counts: AmpOptimWrapper has no argument 'acumulative_counts' (came 2). "
        "Did you mean 'accumulative_counts'?"),
    'gradient clipping': (
        dict(optim_wrapper=dict(optimizer=SGD, clip_grad=dict(max_nrom=5))),
        "optim_wrapper.clip_grad.max_nrom: clip_grad_norm_ has no argument 'max_nrom' (came 5). "
        "Did you mean 'max_norm'?"),
    'clipping by value': (
        dict(optim_wrapper=dict(optimizer=SGD, clip_grad=dict(type='value', clip_value=1, max_norm=5))),
        "optim_wrapper.clip_grad.max_norm: clip_grad_value_ has no argument 'max_norm' (came 5). "
        'It takes clip_value, foreach'),
    'a kind of clipping': (
        dict(optim_wrapper=dict(optimizer=SGD, clip_grad=dict(type='nrom'))),
        "optim_wrapper.clip_grad.type: came 'nrom', expected 'norm' or 'value'"),
    'parameter-wise settings': (
        dict(optim_wrapper=dict(optimizer=SGD, paramwise_cfg=dict(norm_decay_mul=0.))),
        "optim_wrapper.paramwise_cfg.norm_decay_mul: paramwise_cfg has no argument 'norm_decay_mul' (came 0.0). "
        "Did you mean 'norm_decay_mult'"),
    'a custom key': (
        dict(optim_wrapper=dict(optimizer=SGD, paramwise_cfg=dict(custom_keys={'ann.stem': dict(lr_mul=.1)}))),
        "optim_wrapper.paramwise_cfg.custom_keys.ann.stem.lr_mul: a custom key has no argument 'lr_mul' (came 0.1). "
        "Did you mean 'lr_mult'?"),
    'a constructor': (
        dict(optim_wrapper=dict(optimizer=SGD, constructor='DefaultOptimWrapperConstructer')),
        'optim_wrapper.constructor: no optimizer wrapper constructor is called '
        "'DefaultOptimWrapperConstructer' in scope 'mmengine'. Did you mean 'DefaultOptimWrapperConstructor'?"),
    'one of several optimizers': (
        dict(optim_wrapper=dict(constructor='TinyPairConstructor', a=dict(optimizer=SGD),
                                b=dict(optimizer=dict(type='SGD', l=1)))),
        "optim_wrapper.b.optimizer.l: SGD has no argument 'l' (came 1). Did you mean 'lr'?"),
    'a scheduler': (
        dict(param_scheduler=dict(type='CosineAnealingLR', T_max=3)),
        "param_scheduler.type: no parameter scheduler is called 'CosineAnealingLR' in scope 'mmengine'. "
        "Did you mean 'CosineAnnealingLR'"),
    "a scheduler's argument": (
        dict(param_scheduler=[dict(type='LinearLR', start_facter=.1), dict(type='MultiStepLR', milestones=[1])]),
        "param_scheduler.0.start_facter: LinearLR has no argument 'start_facter' (came 0.1). "
        "Did you mean 'start_factor'?"),
    'a scheduler that lacks something': (
        dict(param_scheduler=[dict(type='MultiStepLR', gamma=.1)]),
        "param_scheduler.0: MultiStepLR needs the argument 'milestones'; came gamma"),
    "a scheduler of one optimizer": (
        dict(param_scheduler=dict(a=[dict(type='StepLR', step_sise=1)])),
        "param_scheduler.a.0.step_sise: StepLR has no argument 'step_sise' (came 1). Did you mean 'step_size'?"),
    # Loops, hooks, evaluation, pictures, settings
    'epochs': (
        dict(train_cfg=dict(by_epoch=True, max_epoch=3)),
        "train_cfg.max_epoch: EpochBasedTrainLoop has no argument 'max_epoch' (came 3). Did you mean 'max_epochs'?"),
    'epochs where iterations count': (
        dict(train_cfg=dict(by_epoch=False, max_epochs=3, max_iters=3)),
        "train_cfg.max_epochs: IterBasedTrainLoop has no argument 'max_epochs' (came 3)."),
    'neither type nor by_epoch': (
        dict(train_cfg=dict(max_epochs=3)),
        "train_cfg: needs 'by_epoch' (True: max_epochs, False: max_iters) or the 'type' of a loop; came max_epochs"),
    'both type and by_epoch': (
        dict(train_cfg=dict(type='EpochBasedTrainLoop', by_epoch=True, max_epochs=3)),
        "train_cfg: came both 'type' and 'by_epoch', expected one: the type says which loop runs"),
    'a validation loop': (
        dict(val_cfg=dict(fp61=True)),
        "val_cfg.fp61: ValLoop has no argument 'fp61' (came True). Did you mean 'fp16'?"),
    'a test loop': (
        dict(test_cfg=dict(type='TestLop')),
        "test_cfg.type: no loop is called 'TestLop' in scope 'mmengine'. Did you mean 'TestLoop'"),
    "a default hook's name": (
        dict(default_hooks=dict(chekpoint=dict(type='CheckpointHook'))),
        "default_hooks.chekpoint: no default hook has this name. Did you mean 'checkpoint'?"),
    'a default hook that is not there to be removed': (
        dict(default_hooks=dict(zzyzx=None)),
        'default_hooks.zzyzx: no default hook has this name. There are runtime_info, timer, sampler_seed, logger, '
        'param_scheduler, checkpoint'),
    "a default hook's argument": (
        dict(default_hooks=dict(checkpoint=dict(type='CheckpointHook', max_keep_ckpt=3))),
        "default_hooks.checkpoint.max_keep_ckpt: CheckpointHook has no argument 'max_keep_ckpt' (came 3). "
        "Did you mean 'max_keep_ckpts'?"),
    'a custom hook': (
        dict(custom_hooks=[dict(type='TinyHook', evry=1, priority='LOW')]),
        "custom_hooks.0.evry: TinyHook has no argument 'evry' (came 1). Did you mean 'every'?"),
    'a metric': (
        dict(val_evaluator=dict(type='mmpretrain.Accuracy', topks=(1, 5))),
        "val_evaluator.topks: mmpretrain.Accuracy has no argument 'topks' (came (1, 5)). Did you mean 'topk'?"),
    'one of several metrics': (
        dict(test_evaluator=[dict(type='DumpResults', out_file_path='a.pkl'), dict(type='DumpResult')]),
        "test_evaluator.1.type: no metric is called 'DumpResult' in scope 'mmengine'. Did you mean 'DumpResults'?"),
    'a metric inside an evaluator': (
        dict(test_evaluator=dict(metrics=[dict(type='DumpResults', out_file='a.pkl')])),
        "test_evaluator.metrics.0.out_file: DumpResults has no argument 'out_file' (came 'a.pkl'). "
        "Did you mean 'out_file_path'?"),
    'a visualizer back end': (
        dict(visualizer=dict(type='Visualizer', vis_backends=[dict(type='TensorbordVisBackend')])),
        "visualizer.vis_backends.0.type: no vis_backend is called 'TensorbordVisBackend' in scope 'mmengine'. "
        "Did you mean 'TensorboardVisBackend'"),
    'the log processor': (
        dict(log_processor=dict(window_sise=10)),
        "log_processor.window_sise: LogProcessor has no argument 'window_sise' (came 10). Did you mean 'window_size'?"),
    'the environment': (
        dict(env_cfg=dict(cudnn_benchmrk=True)),
        "env_cfg.cudnn_benchmrk: env_cfg has no argument 'cudnn_benchmrk' (came True). "
        "Did you mean 'cudnn_benchmark'?"),
    'the processes of the environment': (
        dict(env_cfg=dict(mp_cfg=dict(mp_start_mehtod='fork'))),
        "env_cfg.mp_cfg.mp_start_mehtod: env_cfg.mp_cfg has no argument 'mp_start_mehtod' (came 'fork'). "
        "Did you mean 'mp_start_method'?"),
    'the process group': (
        dict(env_cfg=dict(dist_cfg=dict(bakend='gloo', rank=0))),
        "env_cfg.dist_cfg.bakend: env_cfg.dist_cfg has no argument 'bakend' (came 'gloo'). Did you mean 'backend'?"),
    'randomness': (
        dict(randomness=dict(sead=3)),
        "randomness.sead: randomness has no argument 'sead' (came 3). Did you mean 'seed'?"),
    'the scaling of the learning rate': (
        dict(auto_scale_lr=dict(base_batchsize=16)),
        "auto_scale_lr.base_batchsize: auto_scale_lr has no argument 'base_batchsize' (came 16). "
        "Did you mean 'base_batch_size'?"),
    'custom imports': (
        dict(custom_imports=dict(import_=['os'])),
        "custom_imports.import_: custom_imports has no argument 'import_' (came ['os']). Did you mean 'imports'?"),
    'the model of test time augmentation': (
        dict(tta_model=dict(type='mmpretrain.AverageClsScoreTAA')),
        "tta_model.type: no model is called 'mmpretrain.AverageClsScoreTAA' in scope 'mmpretrain'. "
        "Did you mean 'mmpretrain.AverageClsScoreTTA'"),
    'the pipeline of test time augmentation': (
        dict(tta_pipeline=[dict(type='TinyCrop', input_size=3, scale=1)]),
        "tta_pipeline.0.scale: TinyCrop has no argument 'scale' (came 1). Did you mean 'scales'?"),
    'the model wrapper': (
        dict(model_wrapper_cfg=dict(find_unused_parameter=True)),
        'model_wrapper_cfg.find_unused_parameter: MMDistributedDataParallel has no argument '
        "'find_unused_parameter' (came True). Did you mean 'find_unused_parameters'?"),
    'the runner': (
        dict(runner_type='Runer'),
        "runner_type: no runner is called 'Runer' in scope 'mmengine'. Did you mean 'Runner'?"),
    # Top-level keys
    'a top-level key': (
        dict(trian_cfg=dict(by_epoch=True)),
        "trian_cfg: nothing reads this key (came dict). Did you mean 'train_cfg'"),
    'a transposed top-level key': (
        dict(modle=dict(type='TinyNet')), "modle: nothing reads this key (came dict). Did you mean 'model'"),
    'a plural': (
        dict(param_schedulers=[]),
        "param_schedulers: nothing reads this key (came list). Did you mean 'param_scheduler'"),
}


@pytest.mark.parametrize('cfg, expected', SLIPS.values(), ids=SLIPS.keys())
def test_slip_is_named_with_its_path_and_the_nearest_name(cfg, expected):
    found = problems(cfg)
    assert len(found) == 1, found
    assert found[0].startswith(expected.rstrip('?'))  # more names may follow, by the libraries that are loaded
