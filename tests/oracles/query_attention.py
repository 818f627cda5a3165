"""Cross-attention of one query per attribute, one image and attribute at a time."""

import numpy as np


def query_logits(patches, queries, weight, bias, scale, eps=1e-5):
    """Logits (B, A), in float64.

    Args:
        patches: (B, L, D).
        queries: (A, D), of any length.
        weight: Of the classifiers, (A, D).
        bias: (A,).
        scale: By which cosines are multiplied.
        eps: Of the layer norm.
    """
    logits = np.zeros((len(patches), len(queries)))
    for b, image in enumerate(patches.astype(np.float64)):
        for a, query in enumerate(queries.astype(np.float64)):
            found = np.zeros(image.shape[1])
            weights = []
            for patch in image:
                length = np.sqrt(patch @ patch) * np.sqrt(query @ query)
                weights.append(np.exp(scale * (patch @ query) / length))
            for patch, share in zip(image, np.array(weights) / sum(weights)):
                found += share * (patch - patch.mean()) / np.sqrt(patch.var() + eps)
            logits[b, a] = weight[a] @ found + bias[a]
    return logits
