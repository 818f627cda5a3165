"""How a checkpoint was chosen: what a result may be compared with."""

PROTOCOLS = {
    "val-selected": "chosen on validation data, apart from training and test data",
    "fixed-schedule": "the last checkpoint, chosen by nothing",
    "paper": "chosen on the test data, as papers do, which flatters the result",
}
"""What the field ``protocol`` of a config may be: how its checkpoint is chosen."""
