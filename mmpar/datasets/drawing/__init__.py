"""Drawn pedestrians in PA-100K's attributes, from random numbers alone."""

from mmpar.datasets.drawing.cache import PersonSource
from mmpar.datasets.drawing.person import DrawnPerson, draw_person, labels_of_person

__all__ = ["DrawnPerson", "PersonSource", "draw_person", "labels_of_person"]
