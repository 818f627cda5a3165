"""Logs how many of a model's weights a checkpoint brought; requires some or all."""

from __future__ import annotations

import logging
from typing import Any

from mmengine.hooks import Hook

from mmpar.models.utils import unwrap_model
from mmpar.models.weights import load_weights, no_weight_fits, weights_of
from mmpar.registry import HOOKS
from mmpar.structures import ModelCard, Preprocessing
from mmpar.structures.attribute_schema import SchemaMismatchError


@HOOKS.register_module()
class LoadedWeightsHook(Hook):
    """Raise if a checkpoint does not fit the model that it is loaded into.

    MMEngine only warns, and random weights would then be tested, or trained. A training
    that begins from other weights (``load_from``) may lack some; a resumed one, and a
    test, may not.

    A published model brings its decision rule, too: where all weights must fit, as in a
    test, the head predicts by it.

    Args:
        strict: Whether all weights must fit even if no training is resumed.
    """

    priority = "VERY_HIGH"  # before EMAHook, which takes the weights as they are

    def __init__(self, strict: bool = False) -> None:
        self.strict = strict

    def after_load_checkpoint(self, runner: Any, checkpoint: dict) -> None:
        """Compare names and shapes; put the weights where MMEngine looks for them.

        Raises:
            ValueError: No weight fits, or not all do where they must, or the checkpoint
                is of another attribute schema.
        """
        source = runner._load_from
        weights = weights_of(checkpoint, source)
        model = unwrap_model(runner.model)
        try:
            fit = load_weights(model, weights)
        except SchemaMismatchError as error:
            raise SchemaMismatchError(f"the checkpoint {source}: {error}") from error
        except ValueError as error:  # the schema in it cannot be read
            raise ValueError(f"the checkpoint {source}: {error}") from error
        if fit.matched == 0:
            raise ValueError(no_weight_fits(model, checkpoint, source))
        if self.strict or runner._resume:
            fit.require_exact(f"the checkpoint {source}")
        level = logging.WARNING if fit.missing or fit.misshapen else logging.INFO
        runner.logger.log(level, "%s: %s", source, fit)
        checkpoint["state_dict"] = weights  # EMAHook looks nowhere else
        if self.strict and "card" in checkpoint:
            _follow_card(runner, model, checkpoint["card"])


def _follow_card(runner: Any, model: Any, card: ModelCard) -> None:
    model.head.set_decision_rule(card.decision)
    loader = runner.cfg.get("test_dataloader") or {}
    pipeline = loader.get("dataset", {}).get("pipeline", [])
    given: Preprocessing | str
    try:
        given = Preprocessing.from_config(pipeline, runner.cfg.model.data_preprocessor)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        given = str(error)
    if given != card.preprocessing:
        runner.logger.warning(
            "the config prepares images otherwise than the published model says, so "
            "scores may differ: %s, and %s",
            given,
            card.preprocessing,
        )
