"""One child of every mmengine root registry, under the scope ``mmspike``.

A name is looked up here first and then in mmengine's root; a leaf of another library is reached by its prefix
(``type='mmpretrain.ResNet'``). The modules in ``locations`` are imported when a registry is first asked for a
name, so that ``import mmspike`` registers, and therefore imports, nothing.
"""
from mmengine import registry as root
from mmengine.registry import DefaultScope, Registry


class ScopedRegistry(Registry):
    """Builds in its own scope, whatever the default scope of the process is.

    mmengine looks a name up in the default scope, which the last Runner of the process has set: a backbone of ours
    inside a model of mmpretrain would look for its neurons there.
    """

    def build(self, cfg: dict, *args, **kwargs):
        with DefaultScope.overwrite_default_scope(self.scope):
            return super().build(cfg, *args, **kwargs)


def _child(parent: Registry, *locations: str) -> Registry:
    locations = [f'mmspike.{name}' for name in locations]
    return ScopedRegistry(parent.name, parent=parent, scope='mmspike', locations=locations)


# What a run is made of
RUNNERS = _child(root.RUNNERS)
RUNNER_CONSTRUCTORS = _child(root.RUNNER_CONSTRUCTORS)
LOOPS = _child(root.LOOPS, 'engine')
HOOKS = _child(root.HOOKS, 'engine')
STRATEGIES = _child(root.STRATEGIES)
LOG_PROCESSORS = _child(root.LOG_PROCESSORS)
# Data
DATASETS = _child(root.DATASETS, 'datasets')
DATA_SAMPLERS = _child(root.DATA_SAMPLERS)
TRANSFORMS = _child(root.TRANSFORMS, 'datasets.transforms')
# Models
MODELS = _child(root.MODELS, 'models')
MODEL_WRAPPERS = _child(root.MODEL_WRAPPERS)
WEIGHT_INITIALIZERS = _child(root.WEIGHT_INITIALIZERS, 'engine')
# Optimisation
OPTIMIZERS = _child(root.OPTIMIZERS)
OPTIM_WRAPPERS = _child(root.OPTIM_WRAPPERS, 'engine')
OPTIM_WRAPPER_CONSTRUCTORS = _child(root.OPTIM_WRAPPER_CONSTRUCTORS)
PARAM_SCHEDULERS = _child(root.PARAM_SCHEDULERS, 'engine')
# Evaluation and pictures
METRICS = _child(root.METRICS, 'evaluation', 'analysis')
EVALUATOR = _child(root.EVALUATOR)
VISUALIZERS = _child(root.VISUALIZERS, 'visualization')
VISBACKENDS = _child(root.VISBACKENDS)
# The rest
TASK_UTILS = _child(root.TASK_UTILS, 'codecs')
INFERENCERS = _child(root.INFERENCERS)
FUNCTIONS = _child(root.FUNCTIONS)
