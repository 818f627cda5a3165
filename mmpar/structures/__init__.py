"""What the parts of mmpar hand to each other."""

from mmpar.structures.attribute_schema import AttributeSchema, SchemaMismatchError
from mmpar.structures.schemas import SCHEMAS, build_schema

__all__ = ["SCHEMAS", "AttributeSchema", "SchemaMismatchError", "build_schema"]
