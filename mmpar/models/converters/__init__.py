"""Weights of the methods' official codes as weights of mmpar's models.

>>> find_code(["module.classifier.PLEs.conv.weight"]).title
'SSPNet'
"""

from mmpar.models.converters.codes import CODES, find_code
from mmpar.models.converters.official_code import (
    Converted,
    OfficialCode,
    convert_weights,
    find_weights,
)

__all__ = [
    "CODES",
    "Converted",
    "OfficialCode",
    "convert_weights",
    "find_code",
    "find_weights",
]
