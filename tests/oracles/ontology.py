"""Every person whom labels allow, one after the other.

A person is one value of each exclusive facet, or a set of values of the others. Whether
an attribute is present is read from the text of its meaning; where the release does not
say, both answers are tried.
"""

from itertools import chain, combinations

from mmpar.structures.attribute_meanings import FACETS


def persons(facet):
    """All that a person can be in one facet, as sets of values."""
    values = FACETS[facet].values
    if FACETS[facet].exclusive:
        return [{value} for value in values]
    sizes = range(len(values) + 1)
    return [set(some) for some in chain(*(combinations(values, n) for n in sizes))]


def answers(person, meaning):
    """The labels that a person may have, {0}, {1} or both."""
    _, _, listed = meaning.partition(": ")
    no = listed.startswith("no ")
    words = (listed[3:] if no else listed).split(", ")
    certain = any(word in person for word in words)
    doubtful = any(word[:-1] in person for word in words if word[-1] == "?")
    if "?" in words and not certain and person:
        doubtful = True
    found = {1} if certain else {0, 1} if doubtful else {0}
    return {1 - answer for answer in found} if no else found


def infer(known, wanted):
    """A label of ``wanted`` from ``known``, pairs of meaning and label, of its facet.

    Returns:
        1 or 0 where all persons whom the labels allow have it; else -1, also where
        they allow nobody.
    """
    facet = wanted.partition(": ")[0]
    found = set()
    for person in persons(facet):
        if all(label in answers(person, meaning) for meaning, label in known):
            found |= answers(person, wanted)
    return found.pop() if len(found) == 1 else -1


def relation(one, other):
    """How two meanings of one facet are related, in the words of ``relation``."""
    pairs = set()
    for person in persons(one.partition(": ")[0]):
        for a in answers(person, one):
            pairs |= {(a, b) for b in answers(person, other)}
    names = {
        "same": {(0, 1), (1, 0)},
        "complement": {(0, 0), (1, 1)},
        "narrower": {(1, 0)},
        "broader": {(0, 1)},
        "disjoint": {(1, 1)},
    }
    return next((name for name, never in names.items() if not never & pairs), None)
