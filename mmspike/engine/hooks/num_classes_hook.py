"""Labels that do not fit the model's head are named before the first batch."""
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.utils.data import Dataset

from mmspike.registry import HOOKS

from .unwrap import inner_datasets, unwrap

_EMBED = ('Write them from this annotation file: '
          'python tools/dataset_converters/text_embeddings.py {source} --out FILE.')
_TEACH = 'Give a teacher trained on this data set, or on one with the same attributes in the same order.'


@HOOKS.register_module()
class NumClassesHook(Hook):
    """Compares each dataset with the head: its labels with ``num_classes``, its attributes with ``num_attributes``.

    Without it a label too large ends in an index error of the loss, on a GPU as a failed device-side assertion, and
    in a test merely counts as wrong. What is no integer label is left alone. Where the head, or the teacher of a
    distiller, knows the names of its attributes, their order is compared too.

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
    model = unwrap(runner.model)
    head = getattr(model, 'head', None)
    if hasattr(head, 'num_attributes'):
        option = f"model.{'student.' if hasattr(model, 'student') else ''}head.num_attributes"
        for inner in inner_datasets(dataset):
            _check_attributes(inner, head.num_attributes, option)
            _check_names(inner, getattr(head, 'attributes', None), 'the text embeddings of the head', _EMBED)
            _check_names(inner, getattr(model, 'teacher_attributes', None), 'the teacher', _TEACH)
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


def _check_attributes(dataset: Dataset, expected: int, option: str) -> None:
    attributes = _attributes(dataset)
    if attributes is not None and len(attributes) != expected:
        count = len(attributes)
        raise ValueError(f'{_source(dataset)}: {count} attributes ({", ".join(attributes[:3])}, ...), the model has '
                         f'{expected}. Set {option}={count} (--cfg-options {option}={count}), or use the config of '
                         'this data set.')


def _check_names(dataset: Dataset, known: list[str] | None, whose: str, advice: str) -> None:
    attributes = _attributes(dataset)
    if attributes is not None and known is not None and list(known) != list(attributes):
        place = next((i for i, (a, b) in enumerate(zip(attributes, known, strict=False)) if a != b), 0)
        raise ValueError(f'{_source(dataset)}: attribute {place} is {attributes[place]!r}, for {whose} it is '
                         f'{known[place]!r}. {advice.format(source=_source(dataset))}')


def _attributes(dataset: Dataset) -> list[str] | None:
    return getattr(dataset, 'metainfo', {}).get('attributes')


def _source(dataset: Dataset) -> str:
    return getattr(dataset, 'ann_file', '') or type(dataset).__name__


def _explain(dataset: Dataset, item: dict, count: int, labels: list[int], num_classes: int) -> str:
    line = f", line {item['line']}" if 'line' in item else ''
    others = f' (and {count - 1} more)' if count > 1 else ''
    if min(labels) < 0:
        advice = 'Labels count from 0: correct the list.'
    elif min(labels) == 1 and max(labels) == num_classes:
        advice = 'The list seems to count its labels from 1: subtract 1 from each.'
    else:
        advice = (f'Correct the list, or set model.head.num_classes={max(labels) + 1} '
                  f'(--cfg-options model.head.num_classes={max(labels) + 1}).')
    return (f"{_source(dataset)}{line}: label {item['label']} of {item.get('filename', 'a sample')}{others} is outside "
            f'the {num_classes} classes of the model, 0 to {num_classes - 1}. {advice}')
