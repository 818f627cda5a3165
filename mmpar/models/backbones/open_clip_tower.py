"""Image towers of CLIP and SigLIP through open_clip; and what stands for one
when its features are cached.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

import torch
from mmengine.model import BaseModule
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor
from torch.nn import functional as F

from mmpar.models.layers import add_lora, fit_lora
from mmpar.registry import MODELS
from mmpar.structures.attribute_prompts import query_prompts
from mmpar.utils.feature_cache import read_fingerprint

SCHEME = "open-clip://"
"""``open-clip://NAME/TAG`` are the weights that open_clip knows by these."""

_NO_TEXT = dict(width=64, heads=1, layers=1, vocab_size=1, context_length=1)
"""A text side that costs nothing, where none is wanted."""
_HUBS = ("hf_model_name", "hf_tokenizer_name")


@MODELS.register_module()
class OpenCLIPTower(BaseModule):
    """The image tower of CLIP or SigLIP; its text side, always frozen, if ``text``.

    Sources: Radford et al., arXiv 2103.00020; Tschannen et al., arXiv 2502.14786; as
    open_clip builds them (``pip install mmpar[towers]``).

    Images are embedded in the space of texts, (B, D), by open_clip's ``encode_image``.
    With ``patches`` the embeddings of the patches of the last layer follow, (B, 1 + N,
    D), row by row: each normalized and projected as the image's own is or, where the
    image's is pooled by attention as SigLIP's, pooled as if there were no other patch.
    So they are in the space of texts, too (as in MaskCLIP, Zhou et al., arXiv
    2112.01071).

    Args:
        model: Name in ``open_clip.list_models()``, or a dict like open_clip's model
            configs: ``embed_dim``, ``vision_cfg``, ``text_cfg``, ``custom_text``, ...
        patches: Whether to give the patches.
        text: Whether to keep the text side, for :meth:`embed_texts`. It is part of the
            weights then, and up to three times as large as the image tower.
        frozen: Whether the image tower is, too, and stays in evaluation mode.
        lora: Arguments of :func:`mmpar.models.layers.add_lora`, for updates of the
            frozen image tower that are trained: ``targets``, ``rank``, ``alpha``. They
            are merged into the weights of a published model, and where a tower without
            ``lora`` loads the checkpoint; for weights without, they begin as zero.
        init_cfg: ``dict(type="Pretrained", checkpoint="open-clip://NAME/TAG")`` loads
            weights by their name in ``open_clip.list_pretrained()``.

    Raises:
        ModuleNotFoundError: open_clip is not installed.
        ValueError: open_clip has no such model, the dict names files on a hub, or
            ``lora`` is given for a tower that is not frozen or does not fit it.
    """

    def __init__(
        self,
        model: str | Mapping[str, Any],
        patches: bool = False,
        text: bool = False,
        frozen: bool = True,
        lora: Mapping[str, Any] | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        if lora is not None and not frozen:
            raise ValueError(
                "lora trains updates of a frozen tower; leave it out, or frozen=False"
            )
        super().__init__(init_cfg)
        self.patches = patches
        self.model_name = model if isinstance(model, str) else None
        config = read_config(model)
        self.context_length = config["text_cfg"].get("context_length", 77)
        self.visual, whole = split(build(config, text))
        self.text: Any = whole if text else None
        self.frozen = frozen
        self.requires_grad_(False)
        self.visual.requires_grad_(not frozen)
        if lora is not None:
            add_lora(self.visual, **lora)
        self.train(not frozen)

    def train(self, mode: bool = True) -> OpenCLIPTower:
        """What is frozen stays in evaluation mode."""
        super().train(mode and not self.frozen)
        if self.text is not None:
            self.text.eval()
        return self

    def forward(self, images: Tensor) -> tuple[Tensor]:
        """Embeddings ``(B, D)``, or ``(B, 1 + N, D)`` with ``patches``.

        Args:
            images: ``(B, 3, H, W)``, of the tower's own size.
        """
        if not self.patches:
            return (self.visual(images),)
        found = self.visual.forward_intermediates(
            images, indices=1, normalize_intermediates=True, output_fmt="NLC"
        )
        patches = self._project(found["image_intermediates"][-1])
        return (torch.cat((found["image_features"][:, None], patches), dim=1),)

    def _project(self, patches: Tensor) -> Tensor:
        """From the tower's width C to the space of texts, ``(B, N, D)``."""
        pool = getattr(getattr(self.visual, "trunk", None), "attn_pool", None)
        if pool is not None:
            alone = pool(patches.flatten(0, 1)[:, None])
            return self.visual.head(alone).unflatten(0, patches.shape[:2])
        projection = getattr(self.visual, "proj", None)
        if projection is not None:
            return patches @ projection
        return self.visual.head(patches) if hasattr(self.visual, "head") else patches

    def _load_from_state_dict(
        self, state_dict: MutableMapping[str, Any], prefix: str, *args: Any
    ) -> None:
        fit_lora(self, state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *args)

    @torch.no_grad()
    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors ``(T, D)`` in the space of the images.

        Raises:
            ValueError: The tower was built without its text side.
            ModuleNotFoundError: Its words are split by transformers, as SigLIP's are,
                which is not installed.
        """
        if self.text is None:
            raise ValueError(
                "this tower was built without its text side; set "
                "model.backbone.text=True and load the weights again"
            )
        tokens = self._tokenizer()(list(texts)).to(next(self.parameters()).device)
        return F.normalize(self.text.encode_text(tokens), dim=-1)

    def query_texts(self, texts: Sequence[str]) -> Tensor:
        """Vectors ``(T, D)`` whose product with an image's unit embedding is a logit.

        A statement about the person, such as "carries a red umbrella", is compared with
        its negation, see :func:`query_prompts`: the logit is the scaled cosine of one
        prompt less that of the other, so that its sigmoid is the softmax of the two.

        Raises:
            ValueError, ModuleNotFoundError: See :meth:`embed_texts`.
        """
        prompts = [prompt for text in texts for prompt in query_prompts(text)]
        found = self.embed_texts(prompts).unflatten(0, (len(texts), 2))
        return self.logit_scale * (found[:, 0] - found[:, 1])

    def image_embedding(self, features: tuple[Tensor]) -> Tensor:
        """The unit embedding of the whole image, ``(B, D)``, in what it gave."""
        whole = features[-1][:, 0] if self.patches else features[-1]
        return F.normalize(whole, dim=-1)

    def _tokenizer(self) -> Any:
        import open_clip

        if self.model_name is None:
            return open_clip.SimpleTokenizer(context_length=self.context_length)
        try:
            return open_clip.get_tokenizer(self.model_name)
        except OSError as error:
            raise OSError(
                f"the vocabulary of {self.model_name} is fetched once from a hub, "
                f"which cannot be reached: {error}"
            ) from error
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                f"the words of {self.model_name} are split by {error.name}, which is "
                f"not installed: pip install {error.name}"
            ) from error

    @property
    def logit_scale(self) -> Tensor:
        """By how much cosines are multiplied before a softmax or sigmoid, scalar.

        Raises:
            ValueError: The tower was built without its text side.
        """
        if self.text is None:
            raise ValueError(
                "the scale of scores is of the text side; set model.backbone.text=True"
            )
        return self.text.logit_scale.detach().exp()


def read_config(model: str | Mapping[str, Any]) -> dict[str, Any]:
    """open_clip's model config.

    Raises:
        ValueError: There is none of this name, or it names files on a hub, from where
            a model file of others could have anything fetched.
    """
    open_clip = _import_open_clip()
    if isinstance(model, str):
        # With a scheme, such as hf-hub:, it would be fetched.
        found = None if ":" in model else open_clip.get_model_config(model)
        if found is None:
            raise ValueError(
                f"open_clip {open_clip.__version__} has no model {model!r}; "
                "open_clip.list_models() names those that it has"
            )
        _require_own_parts(model, found)
        return found
    config = {key: copy.deepcopy(item) for key, item in model.items()}
    for part in ("vision_cfg", "text_cfg"):
        config[part] = dict(config.get(part) or {})
    vision, text = config["vision_cfg"], config["text_cfg"]
    fetched = [name for name in _HUBS if text.get(name)]
    if ":" in vision.get("timm_model_name", "") or vision.get("timm_model_pretrained"):
        fetched.append("timm_model_name")
    if fetched:
        raise ValueError(
            f"the tower's config names {', '.join(fetched)}, which open_clip would "
            "fetch; give the name of one of its models, or leave them out"
        )
    return config


def _require_own_parts(name: str, config: Mapping[str, Any]) -> None:
    if config["text_cfg"].get("hf_model_name"):
        raise ValueError(
            f"the text side of {name} is a model that open_clip would fetch from a "
            "hub; take one whose text side it builds itself, such as ViT-B-16"
        )
    if "multimodal_cfg" in config:
        raise ValueError(
            f"{name} writes captions, and has no tower for this; take a CLIP or SigLIP "
            "model, such as ViT-B-16"
        )


def build(config: Mapping[str, Any], text: bool) -> Any:
    """open_clip's model with random weights, its text side a stub unless ``text``."""
    _import_open_clip()
    from open_clip.model import CLIP, CustomTextCLIP

    arguments = copy.deepcopy(dict(config))
    custom = arguments.pop("custom_text", False)
    if not text:
        arguments["text_cfg"] = dict(_NO_TEXT)
    return (CustomTextCLIP if custom else CLIP)(**arguments)


def split(model: Any) -> tuple[Any, Any]:
    """The image tower, and the model without it."""
    visual = model.visual
    del model.visual
    return visual, model


@CheckpointLoader.register_scheme(prefixes=SCHEME)
def load_open_clip(filename: str, map_location: Any = None) -> OrderedDict[str, Tensor]:
    """Weights of a whole :class:`OpenCLIPTower`, fetched by open_clip.

    Args:
        filename: ``open-clip://NAME/TAG``.
        map_location: Not used; they are loaded to the CPU.

    Raises:
        ValueError: open_clip knows no such weights.
    """
    open_clip = _import_open_clip()
    name, _, tag = filename.removeprefix(SCHEME).partition("/")
    if (name, tag) not in open_clip.list_pretrained():
        raise ValueError(
            f"open_clip {open_clip.__version__} knows no weights {tag!r} of {name!r}; "
            f"of this model it has {open_clip.list_pretrained_tags_by_model(name)}"
        )
    visual, text = split(open_clip.create_model(name, pretrained=tag))
    parts = dict(visual=visual.state_dict(), text=text.state_dict())
    return OrderedDict(
        (f"{part}.{key}", value)
        for part, weights in parts.items()
        for key, value in weights.items()
    )


def _import_open_clip() -> Any:
    try:
        import open_clip
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"towers are built by open_clip, and {error.name} is not installed: "
            "pip install open_clip_torch"
        ) from error
    return open_clip


@MODELS.register_module()
class CachedFeatures(BaseModule):
    """Stands for the tower whose features are the input, and says which it was.

    Its one buffer, a hash, is in each checkpoint of a head, so that the head is joined
    with no other tower.

    Args:
        cache: Folder of :class:`mmpar.utils.feature_cache.FeatureCache`.
        init_cfg: None, which tests set for every backbone.
    """

    features_sha256: Tensor

    def __init__(self, cache: str, init_cfg: None = None) -> None:
        super().__init__(init_cfg)
        self.cache = cache
        self.register_buffer("features_sha256", torch.zeros(32, dtype=torch.uint8))

    def init_weights(self) -> None:
        """Note what the features are of.

        Raises:
            FileNotFoundError: There is no cache.
        """
        digest = list(features_sha256(read_fingerprint(self.cache)))
        self.features_sha256.copy_(torch.tensor(digest, dtype=torch.uint8))

    def forward(self, features: Tensor) -> tuple[Tensor]:
        """The features, as a backbone gives them."""
        return (features,)


def features_sha256(fingerprint: Mapping[str, Any]) -> bytes:
    """Hash of what features are of, wherever the weights were loaded from.

    Args:
        fingerprint: Of a cache: ``backbone``, ``weights_sha256``, ``preprocessing``.
    """
    backbone = {k: v for k, v in fingerprint["backbone"].items() if k != "init_cfg"}
    text = json.dumps({**fingerprint, "backbone": backbone}, sort_keys=True)
    return hashlib.sha256(text.encode()).digest()
