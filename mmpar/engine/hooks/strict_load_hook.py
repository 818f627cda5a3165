"""Refuses to test a model that a checkpoint does not fit."""

from mmengine.hooks import Hook

from mmpar.models.unwrapped import unwrapped
from mmpar.registry import HOOKS


@HOOKS.register_module()
class StrictLoadHook(Hook):
    """Raise if a loaded checkpoint lacks weights of the model, or has others.

    MMEngine only warns, and the table would then be that of random weights.
    """

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        """Compare names and shapes; ``ValueError`` with those that differ."""
        model = unwrapped(runner.model)
        ours = {key: value.shape for key, value in model.state_dict().items()}
        loaded = checkpoint.get("state_dict", checkpoint)
        loaded = {key.removeprefix("module."): v for key, v in loaded.items()}
        if hasattr(model, "name_regions"):
            model.name_regions(loaded)
        theirs = {key: value.shape for key, value in loaded.items()}
        # Schemas of other lengths differ in shape; the head compares them itself.
        differ = sorted(
            key
            for key in ours.keys() | theirs.keys()
            if ours.get(key) != theirs.get(key) and not key.endswith("_extra_state")
        )
        if differ:
            raise ValueError(
                f"{len(differ)} weights of the checkpoint {runner._load_from} and of "
                f"the model differ in name or shape, first: {', '.join(differ[:5])}; "
                "use the config that the checkpoint was trained with"
            )
