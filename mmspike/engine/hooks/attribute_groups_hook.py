"""A head that looks for groups of attributes in places of their own is told which, and where."""
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch.utils.data import Dataset

from mmspike.registry import HOOKS
from mmspike.structures.attribute_groups import GroupError

from .told_by_data import ToldByData
from .unwrap import inner_datasets, unwrap


@HOOKS.register_module()
class AttributeGroupsHook(ToldByData):
    """Hands groups and places of the training set's metadata to ``model.head.table``; a checkpoint holds them too.

    Raises:
        GroupError: the metadata does not define a group, or the data sets of one training differ; it says what to add.
    """

    def tell(self, runner: Runner, dataset: Dataset) -> None:
        table = getattr(getattr(unwrap(runner.model), 'head', None), 'table', None)
        if table is None:
            return
        metas = [getattr(inner, 'metainfo', {}) for inner in inner_datasets(dataset)]
        keys = ('groups', 'group_places')
        if any(meta.get(key) != metas[0].get(key) for meta in metas for key in keys):
            raise GroupError('the data sets of this training have other groups than each other: '
                             f'{" | ".join(str(meta.get("groups")) for meta in metas)}. Give their attributes the '
                             'same groups and places, or state them: model.head.groups=dict(name=dict(region=..., '
                             'scale=..., attributes=[...]), ...).')
        table.read_meta(metas[0])
        places, group = table.places()
        told = [f'{name} ({group.count(g)}): rows {100 * place.region[0]:g}-{100 * place.region[1]:g} %, P{place.scale}'
                for g, (name, place) in enumerate(zip(table.names, places, strict=True))]
        print_log(f'Groups of attributes: {"; ".join(told)}', 'current')
