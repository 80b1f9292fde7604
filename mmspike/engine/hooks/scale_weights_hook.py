"""What an adaptive selection of scales has chosen, epoch by epoch."""
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner

from mmspike.registry import HOOKS

from .unwrap import unwrap

KEY = 'scale_weights'


@HOOKS.register_module()
class ScaleWeightsHook(Hook):
    """Logs the weight of each scale for each group, and draws their course, from epoch 0, at the end of a training.

    As scalars ``afss/<group>/P<scale>`` in the visual back ends (TensorBoard), as a table in the log, and as the
    picture ``scale_weights`` in the folder of the run's pictures. A head with fixed scales is left alone.

    Args:
        interval: Log every so many epochs.
    """
    priority = 'BELOW_NORMAL'

    def __init__(self, interval: int = 1) -> None:
        self.interval = interval

    def before_train(self, runner: Runner) -> None:
        if runner.epoch == 0:
            self._remember(runner, 0)

    def after_train_epoch(self, runner: Runner) -> None:
        weights = self._remember(runner, runner.epoch + 1)
        if weights and self.every_n_epochs(runner, self.interval):
            names = unwrap(runner.model).head.table.names
            scalars = {f'afss/{name}/P{scale}': value for name, row in zip(names, weights, strict=True)
                       for scale, value in enumerate(row, 1)}
            runner.visualizer.add_scalars(scalars, step=runner.epoch + 1)
            lines = [f'  {name}: ' + '  '.join(f'P{scale} {value:.3f}' for scale, value in enumerate(row, 1))
                     for name, row in zip(names, weights, strict=True)]
            print_log('\n'.join([f'Weights of the scales after epoch {runner.epoch + 1}:', *lines]), 'current')

    @staticmethod
    def _remember(runner: Runner, epoch: int) -> list[list[float]]:
        """The weights ``[G][S]``, added to those of earlier epochs; none of a head with fixed scales."""
        head = getattr(unwrap(runner.model), 'head', None)
        if getattr(head, 'selection', None) is None:
            return []
        weights = head.selection(head.table.group).detach().float().tolist()
        # In the message hub, as that is what a checkpoint keeps
        history = [] if epoch == 0 else runner.message_hub.get_info(KEY) or []
        runner.message_hub.update_info(KEY, [*history, [epoch, weights]])
        return weights

    def after_train(self, runner: Runner) -> None:
        history = runner.message_hub.get_info(KEY)
        if history and hasattr(runner.visualizer, 'add_scale_weights'):
            names = unwrap(runner.model).head.table.names
            runner.visualizer.add_scale_weights(history, names, step=runner.epoch)
