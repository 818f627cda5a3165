"""Heads: from features to attribute logits."""

from mmpar.models.heads.alm_head import ALMHead
from mmpar.models.heads.linear_par_head import CosinePARHead, LinearPARHead
from mmpar.models.heads.par_head import PARHead
from mmpar.models.heads.query_par_head import QueryPARHead, TextQueries
from mmpar.models.heads.sspnet_head import SSPNetHead

__all__ = [
    "ALMHead",
    "CosinePARHead",
    "LinearPARHead",
    "PARHead",
    "QueryPARHead",
    "SSPNetHead",
    "TextQueries",
]
