"""A head that writes sequences of attributes is told their words and their order."""
from mmengine.runner import Runner
from torch.utils.data import Dataset

from mmspike.registry import HOOKS

from .told_by_data import ToldByData
from .unwrap import inner_datasets, unwrap


@HOOKS.register_module()
class AttributePhrasesHook(ToldByData):
    """Hands the metadata of the training set to ``model.head.read_meta``, where the head has it: phrases for a text
    tower, groups or shares of positives for an order by them.

    Raises:
        ValueError: the data sets of one training have other phrases than each other.
    """

    def tell(self, runner: Runner, dataset: Dataset) -> None:
        head = getattr(unwrap(runner.model), 'head', None)
        if not hasattr(head, 'read_meta'):
            return
        metas = [getattr(inner, 'metainfo', {}) for inner in inner_datasets(dataset)]
        if any(meta.get('phrases') != metas[0].get('phrases') for meta in metas):
            raise ValueError('the data sets of this training have other phrases than each other: '
                             f'{" | ".join(str(meta.get("phrases")) for meta in metas)}. Give their attributes the '
                             'same "phrase" in the annotation files.')
        head.read_meta(metas[0])

    def is_told(self, runner: Runner) -> bool:
        return getattr(getattr(unwrap(runner.model), 'head', None), 'is_told', True)
