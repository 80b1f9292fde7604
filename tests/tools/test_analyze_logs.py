import importlib.util
import json

import cv2
import pytest


@pytest.fixture(scope='module')
def tool(root):
    path = root / 'tools/analysis_tools/analyze_logs.py'
    spec = importlib.util.spec_from_file_location('analyze_logs', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _write(folder, lines):
    log = folder / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    log.write_text(''.join(json.dumps(line) + '\n' for line in lines))
    return log


def _train(step, loss, epoch=1, time=0.1):
    return dict(loss=loss, time=time, epoch=epoch, iter=step, step=step)


@pytest.fixture
def run(tmp_path):
    """A run that was stopped after step 6 and resumed from the checkpoint at step 4."""
    run = tmp_path / 'run'
    _write(run / '20260101_000000', [_train(2, 5., time=0.9), _train(4, 4.), {'acc/top1': 0.3, 'step': 1},
                                     _train(6, 3., epoch=2)])
    _write(run / '20260102_000000', [_train(6, 3.5, epoch=2, time=0.3), _train(8, 2., epoch=2, time=0.5),
                                     {'acc/top1': 0.6, 'step': 2}])
    return run


def test_a_resumed_run_is_one_curve(tool, run):
    records = tool.load_records(run)
    assert tool.curve(records, 'loss') == ([2, 4, 6, 8], [5., 4., 3.5, 2.], 'iteration')
    assert tool.curve(records, 'acc/top1') == ([1, 2], [0.3, 0.6], 'epoch')


def test_curves_are_written(tool, run, tmp_path, capsys):
    out = tmp_path / 'pictures' / 'curves.png'
    other = _write(tmp_path / 'other', [_train(2, 6.), {'acc/top1': 0.1, 'step': 1}])
    tool.main(['plot_curve', str(run), str(other), '--keys', 'loss', 'acc/top1', '--out', str(out), '--title', 'two'])
    assert cv2.imread(str(out)).std() > 0
    assert str(out) in capsys.readouterr().out


def test_train_time_leaves_out_the_start_of_the_workers(tool, run, capsys):
    assert tool.train_time(tool.load_records(run)) == {1: 0.1, 2: 0.5}
    assert tool.train_time(tool.load_records(run), skip_first=False) == pytest.approx({1: 0.5, 2: 0.4})
    tool.main(['cal_train_time', str(run)])
    printed = capsys.readouterr().out
    assert '2 epochs' in printed and '0.3000 s per iteration' in printed
    assert 'slowest epoch 2: 0.5000 s, fastest epoch 1: 0.1000 s' in printed


@pytest.mark.parametrize(('command', 'message'), [
    (['plot_curve', '{run}', '--keys', 'los'], r"no value named 'los' was logged; known are acc/top1, loss, time"),
    (['plot_curve', '{run}/nothing'], r'no vis_data/scalars.json in it or below it'),
    (['plot_curve', '{run}', '{run}'], 'all different'),
    (['cal_train_time', '{run}', '--legend', 'a', 'b'], '1 runs are called'),
])
def test_errors_say_what_to_do(tool, run, tmp_path, command, message):
    with pytest.raises(SystemExit, match=message):
        tool.main([word.format(run=run) for word in command] +
                  (['--out', str(tmp_path / 'x.png')] if command[0] == 'plot_curve' else []))


def test_a_log_without_times_is_an_error(tool, tmp_path):
    log = _write(tmp_path, [dict(loss=1., step=1, iter=1)])
    with pytest.raises(SystemExit, match='no training time was logged'):
        tool.main(['cal_train_time', str(log)])


def test_mmengines_own_log_is_understood(tool, tmp_path):
    """What the runner of today writes, not only what this test believes that it writes."""
    import torch
    from mmengine.dataset import DefaultSampler
    from mmengine.evaluator import BaseMetric
    from mmengine.model import BaseModel
    from mmengine.runner import Runner

    class Toy(BaseModel):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(1, 1)

        def forward(self, inputs, mode='tensor'):
            y = self.layer(torch.stack(list(inputs)))
            return dict(loss=y.square().mean()) if mode == 'loss' else [y]

    class Constant(BaseMetric):
        def process(self, data_batch, data_samples):
            self.results.append(0.5)

        def compute_metrics(self, results):
            return dict(value=results[0])

    loader = dict(dataset=[dict(inputs=torch.ones(1))] * 4, batch_size=2,
                  sampler=dict(type=DefaultSampler, shuffle=False))
    Runner(model=Toy(), work_dir=str(tmp_path), train_dataloader=loader, val_dataloader=loader,
           train_cfg=dict(by_epoch=True, max_epochs=2), val_cfg={}, val_evaluator=[Constant()],
           optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)), default_scope='mmengine', experiment_name='toy_log',
           default_hooks=dict(logger=dict(type='LoggerHook', interval=1), checkpoint=None)).train()
    records = tool.load_records(tmp_path)
    steps, _, unit = tool.curve(records, 'loss')
    assert (steps, unit) == ([1, 2, 3, 4], 'iteration')
    assert tool.curve(records, 'value') == ([1, 2], [0.5, 0.5], 'epoch')
    assert set(tool.train_time(records)) == {1, 2}
