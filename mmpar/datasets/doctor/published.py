"""What is published of a dataset, to tell its own flaws from those of a copy."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from mmpar.datasets.base import PARDataset
from mmpar.datasets.formats.files import same_image


@dataclass(frozen=True)
class Published:
    """What a perfect copy of a release looks like.

    Args:
        sizes: Number of images that each split should have.
        identity_overlap: Whether persons in training and test are so by design.
        flaws: As :attr:`PARDataset.KNOWN_FLAWS`.
        seen_shares: As :attr:`PARDataset.SEEN_SHARES`.
    """

    sizes: Mapping[str, int] = field(default_factory=dict)
    identity_overlap: bool = False
    flaws: Mapping[str, Collection[str]] = field(default_factory=dict)
    seen_shares: Mapping[int, float] = field(default_factory=dict)

    @classmethod
    def of(cls, kind: type[PARDataset]) -> Published | None:
        """What is known of a class; ``None`` of one that reads a user's own files."""
        if not kind.ANN_FILE:
            return None
        return cls(
            kind.NUM_IMAGES, kind.IDENTITY_OVERLAP, kind.KNOWN_FLAWS, kind.SEEN_SHARES
        )

    def has_flaw(self, flaw: str, image: str) -> bool:
        """Whether an image of the release has a flaw; its path may begin anywhere."""
        return any(same_image(image, known) for known in self.flaws.get(flaw, ()))
