"""Drawn pedestrians in PA-100K's attributes, from random numbers alone."""

from mmpar.synthetic.person import DrawnPerson, draw_person, labels_of_person

__all__ = ["DrawnPerson", "draw_person", "labels_of_person"]
