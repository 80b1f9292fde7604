"""A label outside the model's classes is named before the first batch."""
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch.utils.data import Dataset

from mmspike.registry import HOOKS

from .inner_datasets import inner_datasets


@HOOKS.register_module()
class NumClassesHook(Hook):
    """Compares the labels of each dataset with ``model.head.num_classes``.

    Without it a label too large ends in an index error of the loss, on a GPU as a failed device-side assertion, and
    in a test merely counts as wrong. Datasets without integer labels are left alone.

    Raises:
        ValueError: names the list, the line, the label and what to do.
    """

    def before_train(self, runner: Runner) -> None:
        _check(runner, runner.train_dataloader.dataset)

    def before_val(self, runner: Runner) -> None:
        _check(runner, runner.val_dataloader.dataset)

    def before_test(self, runner: Runner) -> None:
        _check(runner, runner.test_dataloader.dataset)


def _check(runner: Runner, dataset: Dataset) -> None:
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    num_classes = getattr(getattr(model, 'head', None), 'num_classes', None)
    if num_classes is None:
        return
    for inner in inner_datasets(dataset):
        if not hasattr(inner, 'get_data_info'):
            continue
        labels = [inner.get_data_info(index).get('label') for index in range(len(inner))]
        wrong = [index for index, label in enumerate(labels) if isinstance(label, int) and not 0 <= label < num_classes]
        if wrong:
            raise ValueError(_explain(inner, inner.get_data_info(wrong[0]), len(wrong), labels, num_classes))


def _explain(dataset: Dataset, item: dict, count: int, labels: list[int], num_classes: int) -> str:
    source = getattr(dataset, 'ann_file', '') or type(dataset).__name__
    line = f", line {item['line']}" if 'line' in item else ''
    others = f' (and {count - 1} more)' if count > 1 else ''
    if min(labels) < 0:
        advice = 'Labels count from 0: correct the list.'
    elif min(labels) == 1 and max(labels) == num_classes:
        advice = 'The list seems to count its labels from 1: subtract 1 from each.'
    else:
        advice = (f'Correct the list, or set model.head.num_classes={max(labels) + 1} '
                  f'(--cfg-options model.head.num_classes={max(labels) + 1}).')
    return (f"{source}{line}: label {item['label']} of {item.get('filename', 'a sample')}{others} is outside the "
            f'{num_classes} classes of the model, 0 to {num_classes - 1}. {advice}')
