"""Registries of mmpar: children of MMEngine's, scope ``mmpar``.

A config with ``default_scope = 'mmpar'`` finds mmpar's parts by their bare name,
MMEngine's and mmcv's as well, and mmpretrain's as ``mmpretrain.X``. MMEngine warns
when a scope lacks a registry that it looks for, so every registry of the root has a
child here, also where mmpar adds nothing to it.
"""

from mmpar.compat import check_dependencies

check_dependencies()  # before they are imported, for an error with the remedy

import mmpretrain.registry  # noqa: F401  makes 'mmpretrain.X' resolvable
from mmengine import registry as root
from mmengine.registry import Registry

from mmpar.utils.atomic import secure_checkpoint_writing
from mmpar.utils.checkpoint_files import secure_checkpoint_loading

secure_checkpoint_loading()
secure_checkpoint_writing()


def _child(parent: Registry, module: str) -> Registry:
    return Registry(
        parent.name, parent=parent, scope="mmpar", locations=[f"mmpar.{module}"]
    )


DATASETS = _child(root.DATASETS, "datasets")
DATA_SAMPLERS = _child(root.DATA_SAMPLERS, "datasets")
TRANSFORMS = _child(root.TRANSFORMS, "datasets.transforms")

MODELS = _child(root.MODELS, "models")
MODEL_WRAPPERS = _child(root.MODEL_WRAPPERS, "models")
WEIGHT_INITIALIZERS = _child(root.WEIGHT_INITIALIZERS, "models")
TASK_UTILS = _child(root.TASK_UTILS, "models")

METRICS = _child(root.METRICS, "evaluation")
EVALUATOR = _child(root.EVALUATOR, "evaluation")

RUNNERS = _child(root.RUNNERS, "engine")
RUNNER_CONSTRUCTORS = _child(root.RUNNER_CONSTRUCTORS, "engine")
LOOPS = _child(root.LOOPS, "engine")
HOOKS = _child(root.HOOKS, "engine")
LOG_PROCESSORS = _child(root.LOG_PROCESSORS, "engine")
OPTIMIZERS = _child(root.OPTIMIZERS, "engine")
OPTIM_WRAPPERS = _child(root.OPTIM_WRAPPERS, "engine")
OPTIM_WRAPPER_CONSTRUCTORS = _child(root.OPTIM_WRAPPER_CONSTRUCTORS, "engine")
PARAM_SCHEDULERS = _child(root.PARAM_SCHEDULERS, "engine")
STRATEGIES = _child(root.STRATEGIES, "engine")

VISUALIZERS = _child(root.VISUALIZERS, "visualization")
VISBACKENDS = _child(root.VISBACKENDS, "visualization")

# MMEngine has none of these, so it has no parent. Built with ``model=...``.
EXPLAINERS = Registry("explainer", scope="mmpar", locations=["mmpar.explain"])
