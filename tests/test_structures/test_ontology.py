"""What one dataset's labels and scores say of another's attributes."""

from itertools import combinations, permutations, product

import numpy as np
import pytest

from mmpar.datasets import DukeMTMCAttribute, Market1501Attribute
from mmpar.datasets.peta import read_peta
from mmpar.datasets.reid_attributes import read_reid_attributes
from mmpar.structures import (
    SCHEMAS,
    AttributeSchema,
    Transfer,
    build_schema,
    infer,
    meanings_of,
    relation,
)
from mmpar.structures.attribute_meanings import FACETS, MEANINGS, dataset_of
from tests.fixtures.identity_attributes import REAL_FILES
from tests.fixtures.pa100k import real_rows
from tests.fixtures.peta import real_peta
from tests.oracles import ontology as oracle

PAIRS = list(permutations(SCHEMAS, 2))
PERSONS = {
    "market1501": (Market1501Attribute, REAL_FILES["market"]),
    "dukemtmc": (DukeMTMCAttribute, REAL_FILES["duke"]),
}


def schema_of(**meanings):
    return AttributeSchema(tuple(meanings), meanings=meanings)


def facet_of(meaning):
    return meaning.partition(": ")[0]


def random_labels(schema, rng, rows=40):
    """Labels of persons, a third of them unknown; none contradicts itself."""
    labels = np.full((rows, len(schema)), -1)
    meanings = meanings_of(schema)
    for facet in sorted({facet_of(meaning) for meaning in meanings.values()}):
        everybody = oracle.persons(facet)
        for row in labels:
            person = everybody[rng.integers(len(everybody))]
            for name, meaning in meanings.items():
                if facet_of(meaning) == facet and rng.random() < 2 / 3:
                    row[schema.index(name)] = rng.choice(
                        sorted(oracle.answers(person, meaning))
                    )
    return labels


# --- the table ------------------------------------------------------------------------


def test_every_attribute_of_the_table_is_one_of_its_dataset():
    names = {}
    for schema in SCHEMAS.values():
        names.setdefault(dataset_of(schema.title), set()).update(schema.names)
    for meaning, attributes in MEANINGS.items():
        if facet_of(meaning) in ("upper colour", "lower colour"):
            continue  # generated: more colours than each dataset has
        for dataset, given in attributes.items():
            given = {given} if isinstance(given, str) else set(given)
            assert given <= names[dataset], (meaning, dataset)


def test_every_published_schema_has_meanings_each_of_the_vocabulary():
    assert None not in {dataset_of(schema.title) for schema in SCHEMAS.values()}
    for schema in SCHEMAS.values():
        assert len(meanings_of(schema)) > len(schema) / 2
    for meaning in MEANINGS:
        assert relation(meaning, meaning) in ("same", None)


def test_no_attribute_has_two_meanings():
    for dataset in {dataset for row in MEANINGS.values() for dataset in row}:
        rows = [row[dataset] for row in MEANINGS.values() if dataset in row]
        names = [n for row in rows for n in ([row] if isinstance(row, str) else row)]
        assert len(names) == len(set(names))


def test_exclusive_sets_of_schemas_are_disjoint_in_the_table():
    for schema in SCHEMAS.values():
        meanings = meanings_of(schema)
        for members in schema.exclusive:
            known = [meanings[name] for name in members if name in meanings]
            for one, other in permutations(known, 2):
                if FACETS[facet_of(one)].exclusive and "?" not in one + other:
                    assert relation(one, other) in ("disjoint", "complement")


def real_labels(name):
    """Labels of PA-100K's test split, of all of PETA, or of all persons of the others.

    Skips the test where they are absent.
    """
    schema = SCHEMAS[name]
    if name == "pa100k":
        return np.array([labels for _, labels in real_rows()])
    if name == "peta105":
        peta = read_peta(str(real_peta()))
        return np.asarray(peta.labels)[:, peta.positions(schema.names)]
    kind, file = PERSONS[name]
    if not file.exists():
        pytest.skip(f"no {file}")
    parts = [
        read_reid_attributes(str(file), kind.VARIABLE, part, kind.MULTI_CLASS)
        for part in ("train", "test")
    ]
    return np.concatenate([part.select(schema).labels for part in parts])


@pytest.mark.parametrize("name", ["pa100k", "peta105", *PERSONS])
def test_real_labels_keep_to_the_table(name):
    """Fewer than 5 % of the positives of either of two attributes contradict it."""
    never = {
        "disjoint": (1, 1),
        "complement": (1, 1),
        "narrower": (1, 0),
        "broader": (0, 1),
    }
    schema, labels = SCHEMAS[name], real_labels(name)
    meanings = meanings_of(schema)
    compared = 0
    for one, other in combinations(meanings, 2):
        values = never.get(relation(meanings[one], meanings[other]))
        if values is None:
            continue
        pair = labels[:, [schema.index(one), schema.index(other)]]
        wrong = (pair == values).all(axis=1).sum()
        assert wrong < 0.05 * (pair == 1).sum(axis=0).min(), (one, other)
        compared += 1
    assert compared >= 9


# --- relations ------------------------------------------------------------------------


@pytest.mark.parametrize("facet", FACETS)
def test_relations_hold_for_every_person(facet):
    meanings = [meaning for meaning in MEANINGS if facet_of(meaning) == facet]
    for one, other in product(meanings, repeat=2):
        assert relation(one, other) == oracle.relation(one, other), (one, other)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("peta:personalMale", "pa100k:Female", "complement"),
        ("peta:personalLarger60", "pa100k:AgeOver60", "same"),
        ("peta:personalLess45", "pa100k:Age18-60", "narrower"),
        ("peta:personalLess30", "pa100k:AgeLess18", None),
        ("pa100k:Trousers", "peta105:lowerBodyJeans", "broader"),
        ("pa100k:Trousers", "peta:lowerBodyShorts", "disjoint"),
        ("upar:Accessory-Bag", "pa100k:HandBag", "broader"),
        ("peta:carryingNothing", "rapv2:attachment-Backpack", "disjoint"),
        ("pa100k:Hat", "pa100k:Female", None),
    ],
)
def test_examples(one, other, expected):
    meanings = []
    for text in (one, other):
        schema, _, name = text.partition(":")
        meanings.append(meanings_of(SCHEMAS[schema])[name])
    assert relation(*meanings) == expected


# --- labels ---------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_label_is_inferred_just_where_every_person_allowed_has_it(source, target):
    source, target = SCHEMAS[source], SCHEMAS[target]
    rng = np.random.default_rng(0)
    of_nobody = rng.integers(-1, 2, (1, len(source)))
    labels = np.concatenate([random_labels(source, rng, rows=1), of_nobody])
    for row, found in zip(labels, infer(labels, source, target)):
        for name, meaning in meanings_of(target).items():
            known = [
                (said, row[source.index(given)])
                for given, said in meanings_of(source).items()
                if facet_of(said) == facet_of(meaning) and row[source.index(given)] >= 0
            ]
            assert found[target.index(name)] == oracle.infer(known, meaning), known


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_there_and_back_never_invents_or_flips_a_label(source, target):
    source, target = SCHEMAS[source], SCHEMAS[target]
    labels = random_labels(source, np.random.default_rng(1), rows=10)
    back = infer(infer(labels, source, target), target, source)
    both = (labels >= 0) & (back >= 0)
    assert (labels == back)[both].all()
    implied = infer(labels, source, source)
    assert (implied[back >= 0] == back[back >= 0]).all()


def test_a_union_is_decided_by_its_parts():
    parts = schema_of(
        pack="carrying: backpack", hand="carrying: handbag", rest="carrying: box"
    )
    whole = schema_of(two="carrying: backpack, handbag", none="carrying: no backpack")
    labels = np.array([[0, 0, -1], [1, -1, 0], [-1, 1, 1], [0, -1, 1]])
    assert infer(labels, parts, whole).tolist() == [[0, 1], [1, 0], [1, -1], [-1, 1]]
    known = infer(np.array([[1, 1], [1, 0], [0, 1]]), whole, parts)
    assert known.tolist() == [[0, 1, -1], [1, -1, -1], [0, 0, -1]]


def test_of_contradictory_labels_nothing_follows():
    ages = schema_of(young="age: 0-15", old="age: 61+", woman="gender: female")
    other = schema_of(middle="age: 31-45", man="gender: male")
    assert infer(np.array([1, 1, 1]), ages, other).tolist() == [-1, 0]


def test_shapes_of_any_depth_and_none():
    source, target = SCHEMAS["peta"], SCHEMAS["pa100k"]
    assert infer(np.zeros((2, 3, 35)), source, target).shape == (2, 3, 26)
    assert infer(np.zeros((0, 35)), source, target).shape == (0, 26)


# --- scores ---------------------------------------------------------------------------

MODEL = schema_of(
    Male="gender: male",
    Young="age: 0-15, 16, 17",
    Old="age: 61+",
    Pack="carrying: backpack",
    Hand="carrying: handbag",
    Sleeve="sleeve: short, none?",
)
ASKED = schema_of(
    Female="gender: female",
    Adult="age: 18-30, 31-45, 46-60",
    Either="carrying: backpack, handbag",
    Neither="carrying: no backpack, handbag",
    Box="carrying: box",
    Sleeve="sleeve: short, none?",
    Old="age: 61+",
)


def test_scores_of_what_can_be_answered():
    transfer = Transfer(MODEL, ASKED)
    assert [str(answer) for answer in transfer.answers] == [
        "Female = not Male",
        "Adult = not (Young or Old)",
        "Either = Pack or Hand",
        "Neither = not (Pack or Hand)",
        "Old = Old",
    ]
    assert transfer.unanswered == ["Box", "Sleeve"]
    assert transfer.columns.tolist() == [0, 1, 2, 3, 6]
    scores = np.array([[0.2, 0.3, 0.1, 0.4, 0.3, 0.9], [0.9, 0.8, 0.4, 0.0, 1.0, 0.1]])
    expected = [[0.8, 0.6, 0.58, 0.42, 0.1], [0.1, 0.0, 1.0, 0.0, 0.4]]
    np.testing.assert_allclose(transfer.scores(scores), expected, atol=1e-12)


def test_decisions_are_the_models_and_of_several_parts_either_or_both():
    transfer = Transfer(MODEL, ASKED)
    scores = np.array([[0.2, 0.3, 0.1, 0.4, 0.3, 0.9], [0.4, 0.3, 0.3, 0.2, 0.2, 0]])
    decided = np.array([[1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0]], bool)
    expected = [[0, 1, 1, 0, 0], [1, 0, 1, 0, 0]]
    assert transfer.decisions(decided, scores).astype(int).tolist() == expected


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_perfect_scores_give_the_true_labels(source, target):
    source, target = SCHEMAS[source], SCHEMAS[target]
    try:
        transfer = Transfer(source, target)
    except ValueError:
        return
    rng = np.random.default_rng(2)
    ours, theirs = meanings_of(source), meanings_of(target)
    for facet in sorted({facet_of(meaning) for meaning in ours.values()}):
        everybody = oracle.persons(facet)
        person = everybody[rng.integers(len(everybody))]
        scores = np.zeros(len(source))
        for name, meaning in ours.items():
            if facet_of(meaning) == facet:
                scores[source.index(name)] = rng.choice(
                    sorted(oracle.answers(person, meaning))
                )
        for answer, score in zip(transfer.answers, transfer.scores(scores)):
            meaning = theirs.get(answer.attribute, "")
            if facet_of(meaning) == facet and "?" not in meaning:
                assert {int(score)} == oracle.answers(person, meaning)


def test_one_dataset_calls_one_attribute_by_one_name():
    transfer = Transfer(SCHEMAS["peta"], SCHEMAS["peta105"])
    assert set(SCHEMAS["peta"].names) <= set(transfer.schema.names)
    assert "shoes-Casual" in Transfer(SCHEMAS["rapv1"], SCHEMAS["rapv2"]).schema.names


def test_of_the_model_s_own_attributes_scores_stay_bit_for_bit():
    scores = np.random.default_rng(3).random((50, 26), np.float32)
    same = Transfer(SCHEMAS["pa100k"], SCHEMAS["pa100k"])
    assert same.schema.names == SCHEMAS["pa100k"].names
    np.testing.assert_array_equal(same.scores(scores), scores)


def test_nothing_in_common_is_an_error_that_names_both():
    other = AttributeSchema(("Hat",), title="mine")
    with pytest.raises(ValueError, match="'PETA' answers no attribute of 'mine'"):
        Transfer(SCHEMAS["peta"], other)


# --- meanings of one's own ------------------------------------------------------------


def test_a_schema_carries_meanings():
    schema = build_schema(dict(names=["M", "x"], meanings={"M": "gender: male"}))
    assert meanings_of(build_schema(schema.to_dict())) == {"M": "gender: male"}
    assert "meanings" not in SCHEMAS["peta"].to_dict()
    schema.require_same(AttributeSchema(("M", "x")), "one", "the other")


@pytest.mark.parametrize(
    ("meanings", "says"),
    [
        ({"M": "sex: male"}, "names no facet"),
        ({"M": "gender: man"}, r"\['man'\], not among the values"),
        ({"M": "gender"}, "not among the values"),
        ({"N": "gender: male"}, "not among its attributes"),
        ({"M": 1}, "as text"),
        (["gender: male"], "as text"),
    ],
)
def test_faulty_meanings_are_refused(meanings, says):
    with pytest.raises(ValueError, match=says):
        AttributeSchema(("M",), meanings=meanings)
