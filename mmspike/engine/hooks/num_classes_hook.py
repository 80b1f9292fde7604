"""Labels that do not fit the model's head are named before the first batch."""
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import Dataset

from mmspike.registry import HOOKS

from .unwrap import inner_datasets, unwrap


@HOOKS.register_module()
class NumClassesHook(Hook):
    """Compares each dataset with the head: its labels with ``num_classes``, its attributes with ``num_attributes``.

    Without it a label too large ends in an index error of the loss, on a GPU as a failed device-side assertion, and
    in a test merely counts as wrong. What is no integer label is left alone. A head that knows the names of its
    attributes (``attributes``) is held to their order too.

    Raises:
        ValueError: names the list, the line, the label (or both counts of attributes) and what to do.
    """

    def before_train(self, runner: Runner) -> None:
        _check(runner, runner.train_dataloader.dataset)

    def before_val(self, runner: Runner) -> None:
        _check(runner, runner.val_dataloader.dataset)

    def before_test(self, runner: Runner) -> None:
        _check(runner, runner.test_dataloader.dataset)


def _check(runner: Runner, dataset: Dataset) -> None:
    head = getattr(unwrap(runner.model), 'head', None)
    if hasattr(head, 'num_attributes'):
        for inner in inner_datasets(dataset):
            _check_attributes(inner, head)
    num_classes = getattr(head, 'num_classes', None)
    if num_classes is None:
        return
    for inner in inner_datasets(dataset):
        if not hasattr(inner, 'get_data_info'):
            continue
        labels = [inner.get_data_info(index).get('label') for index in range(len(inner))]
        labels = {index: label for index, label in enumerate(labels) if isinstance(label, int)}
        wrong = [index for index, label in labels.items() if not 0 <= label < num_classes]
        if wrong:
            item = inner.get_data_info(wrong[0])
            raise ValueError(_explain(inner, item, len(wrong), list(labels.values()), num_classes))


def _check_attributes(dataset: Dataset, head: nn.Module) -> None:
    attributes = getattr(dataset, 'metainfo', {}).get('attributes')
    if attributes is None:
        return
    source = getattr(dataset, 'ann_file', '') or type(dataset).__name__
    count = len(attributes)
    if count != head.num_attributes:
        raise ValueError(f'{source}: {count} attributes ({", ".join(attributes[:3])}, ...), the model has '
                         f'{head.num_attributes}. Set model.head.num_attributes={count} '
                         f'(--cfg-options model.head.num_attributes={count}), or use the config of this data set.')
    known = getattr(head, 'attributes', None)
    if known is not None and list(known) != list(attributes):
        place = next(i for i, (ours, theirs) in enumerate(zip(known, attributes, strict=True)) if ours != theirs)
        raise ValueError(f'{source}: attribute {place} is {attributes[place]!r}, but the text embeddings of the head '
                         f'have {known[place]!r} there. Write them from this annotation file: '
                         f'python tools/dataset_converters/text_embeddings.py {source} --out FILE.')


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
