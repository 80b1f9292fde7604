"""A head that writes sequences of attributes is told their words and their order."""
from mmengine.runner import Runner
from torch.utils.data import Dataset

from mmspike.registry import HOOKS

from .positive_ratio_hook import mean_positive_ratio
from .told_by_data import ToldByData
from .unwrap import inner_datasets, unwrap


@HOOKS.register_module()
class AttributePhrasesHook(ToldByData):
    """Hands the metadata of the training set to ``model.head.read_meta``, where the head has it: phrases for a text
    tower, groups or shares of positives for an order by them. Shares of several data sets are averaged, each with the
    number of its images.

    Raises:
        ValueError: the data sets of one training have other phrases than each other.
    """

    def tell(self, runner: Runner, dataset: Dataset) -> None:
        head = getattr(unwrap(runner.model), 'head', None)
        if not hasattr(head, 'read_meta'):
            return
        datasets = list(inner_datasets(dataset))
        metas = [getattr(inner, 'metainfo', {}) for inner in datasets]
        if any(meta.get('phrases') != metas[0].get('phrases') for meta in metas):
            raise ValueError('the data sets of this training have other phrases than each other: '
                             f'{" | ".join(str(meta.get("phrases")) for meta in metas)}. Give their attributes the '
                             'same "phrase" in the annotation files.')
        meta = dict(metas[0], positive_ratio=mean_positive_ratio(datasets))
        if any(one.get('groups') != meta.get('groups') for one in metas):
            meta['groups'] = None  # an order by them says that there are none
        head.read_meta(meta)

    def is_told(self, runner: Runner) -> bool:
        return getattr(getattr(unwrap(runner.model), 'head', None), 'is_told', True)
