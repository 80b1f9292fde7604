"""Energy beside accuracy, from the same run."""
import json
from collections.abc import Sequence
from pathlib import Path

from mmengine.dist import is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import nn

from mmspike.analysis.energy.account import Account
from mmspike.analysis.energy.counter import OperationCounter
from mmspike.analysis.energy.energy_models import DEFAULT
from mmspike.analysis.energy.markdown import markdown
from mmspike.analysis.energy.report import EnergyReport, ModelFacts, default_models
from mmspike.registry import METRICS


@METRICS.register_module()
class EnergyMetric(BaseMetric):
    """Operations, spikes and estimated energy of the samples that are tested, as figures beside those of accuracy.

    Keys, per sample: ``energy/mj`` (operations of layers) and ``energy/total_mj`` (all that is estimated) under the
    first energy model, ``energy/gmac``, ``energy/gac``, ``energy/rate`` (spikes per neuron and step, over all neurons
    that fire), ``energy/coverage``, ``energy/samples``. ``EnergyHook`` hands it the model; ``tools/test.py --energy``
    adds both. Predictions are not changed.

    Every sample of the data set counts once, over all processes: what a distributed sampler repeats is cut off, as in
    any metric. Counts of a batch are shared out evenly among its samples.

    Args:
        max_samples: count the first so many only, of each process; None: all. Counting takes two to four times as long
            as the test itself.
        models: names of energy models; the first is that of the keys.
        out: write all figures as ``.json`` and ``.md`` under this path.
        collect_device: ``'cpu'`` or ``'gpu'``, how processes exchange results.
        prefix: in place of ``energy``.

    Raises:
        ValueError: an energy model that does not exist, or no model to count.
    """

    default_prefix = 'energy'

    def __init__(self, max_samples: int | None = 256, models: Sequence[str] = (DEFAULT,), out: str | None = None,
                 collect_device: str = 'cpu', prefix: str | None = None) -> None:
        super().__init__(collect_device, prefix)
        if max_samples is not None and max_samples < 1:
            raise ValueError(f'EnergyMetric: max_samples={max_samples}; expected at least 1, or None for all.')
        self.max_samples, self.models, self.out = max_samples, default_models(models), out
        self._model: nn.Module | None = None
        self._counter: OperationCounter | None = None
        self._counted = 0
        self._facts: dict[str, str] = {}

    def watch(self, model: nn.Module, facts: dict[str, str] | None = None) -> None:
        """Begin to count what the model does; :meth:`process` takes it batch by batch.

        Args:
            model: what runs.
            facts: name -> what is measured on, for the reader of ``out``.
        """
        self.stop()
        self._facts = dict(facts or {})
        self._model, self._counter, self._counted = model, OperationCounter(model), 0
        self._counter.__enter__()

    def stop(self) -> None:
        """Count no more."""
        if self._counter is not None:
            self._counter.__exit__(None, None, None)
            self._counter = None

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Take what was counted since the last batch.

        Args:
            data_batch: not used.
            data_samples: one per sample; only their number counts.
        """
        if self._model is None:
            raise ValueError("EnergyMetric: no model to count. Add dict(type='EnergyHook') to custom_hooks, or use "
                             'tools/test.py --energy.')
        account, count = None, 0
        if self._counter is not None:
            account, count = self._counter.take(len(data_samples)), len(data_samples)
            if self.max_samples is not None:
                count = min(count, self.max_samples - self._counted)
            self._counted += count
            if self._counted == self.max_samples:
                self.stop()
        # One account for all samples of a batch, of which those count that are left
        self.results += [account] * count + [None] * (len(data_samples) - count)

    def compute_metrics(self, results: list[Account | None]) -> dict[str, float]:
        """Figures over all samples of all processes."""
        self.stop()
        report = self._report(results)
        figures = report.to_dict()
        print_log(self._text(figures), 'current')
        if self.out is not None and is_main_process():
            self._write(figures)
        firing = [n for n in report.total.neurons.values() if n.fires]
        spikes, elements = (sum(float(getattr(n, name).sum()) for n in firing) for name in ('spikes', 'elements'))
        first, count = figures['energy'][0], report.total.samples
        return dict(mj=first['synaptic_mj']['mean'], total_mj=first['total_mj']['mean'],
                    gmac=report.total.sum('macs') / count * 1e-9, gac=report.total.sum('acs') / count * 1e-9,
                    rate=spikes / elements if elements else 0.0, coverage=report.total.coverage, samples=int(count))

    def _report(self, results: list[Account | None]) -> EnergyReport:
        shares: dict[int, list] = {}  # samples that are left of each batch
        for account in results:
            if account is not None:
                shares.setdefault(id(account), [account, 0])[1] += 1
        batches = [account.part(count) for account, count in shares.values()]
        return EnergyReport(batches, ModelFacts.of(self._model, batches[0]),
                            self._facts | {'samples counted': str(sum(batch.samples for batch in batches))},
                            models=self.models)

    def _write(self, figures: dict) -> None:
        path = Path(self.out)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix('.json').write_text(json.dumps(figures, indent=1) + '\n', encoding='utf-8')
        path.with_suffix('.md').write_text(markdown(figures), encoding='utf-8')

    def _text(self, figures: dict) -> str:
        operations, coverage = figures['operations'], figures['coverage']
        lines = [f'Estimated energy of one sample, over {figures["samples"]} samples; {100 * coverage["share"]:.2f} % '
                 'of the multiply-accumulates counted:',
                 f'  {operations["macs"]["mean"] / 1e6:.4g} M multiply-accumulates, '
                 f'{operations["acs"]["mean"] / 1e6:.4g} M accumulates, '
                 f'{operations["neuron_updates"]["mean"] / 1e6:.4g} M membrane updates']
        lines += [f'  {model["title"]}: {model["synaptic_mj"]["mean"]:.4g} mJ for the operations of layers, '
                  f'{model["total_mj"]["mean"]:.4g} mJ for all that is estimated' for model in figures['energy']]
        return '\n'.join(lines)
