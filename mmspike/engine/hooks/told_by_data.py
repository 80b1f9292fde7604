"""When a model is told what it has to know of its data set."""
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner
from torch.utils.data import Dataset


class ToldByData(Hook):
    """Calls :meth:`tell` with the data set that the weights belong to.

    A checkpoint holds what it was told, and in a test is all that is asked, unless it lacks it (:meth:`is_told`). A
    training that starts from another's weights (``load_from``) has its own data set's.
    """
    priority = 'HIGH'  # EMAHook copies the model in before_run too

    def before_run(self, runner: Runner) -> None:
        if isinstance(runner._train_loop, BaseLoop):
            self.tell(runner, runner.train_loop.dataloader.dataset)

    def before_train(self, runner: Runner) -> None:
        if runner._load_from and not runner._resume:
            self.tell(runner, runner.train_loop.dataloader.dataset)

    def before_test(self, runner: Runner) -> None:
        if not runner._load_from or not self.is_told(runner):  # a test of initial weights, or of published ones
            self.tell(runner, runner.test_loop.dataloader.dataset)

    def tell(self, runner: Runner, dataset: Dataset) -> None:
        """Hand over what the model needs of a data set."""
        raise NotImplementedError

    def is_told(self, runner: Runner) -> bool:
        """Whether what was loaded has it."""
        return True
