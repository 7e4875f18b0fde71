"""R-4, B3: the race for keys over HTTP in its short form (``make race`` runs the long one), and that it sees the fault."""

from __future__ import annotations

import pytest

from csp_web.config import Settings
from csp_web.db import transaction
from csp_web.domain.upkeep.installation import install_rules
from tests.race.fault import Fault, without_the_last_net
from tests.race.race import race
from tests.world import World


@pytest.fixture
def shop(world: World) -> World:
    with transaction():
        install_rules()
    return world


def test_r4_b3_every_key_once_and_every_other_buyer_waits(shop: World, settings: Settings) -> None:
    """Two rounds on the last key, in two processes; then the tables and the buyers' own pages say the same."""
    tally = race(shop, settings, rounds=2, buyers=24, keys=1, clients=24)
    assert tally.faults == []
    assert (tally.buyers, tally.handed_out, tally.duplicates, tally.waiting) == (48, 2, 0, 46)


def test_the_race_sees_a_select_before_the_update(shop: World, settings: Settings) -> None:
    """The planted mistake: the database refuses the second hand-out, so buyers see errors, and the race says so."""
    tally = race(shop, settings, rounds=1, buyers=8, keys=1, clients=8, fault=Fault(at_once=8))
    assert tally.duplicates == 0
    assert "answers to the press: {'303': 1, '500': 7} instead of {'303': 8}" in tally.faults[0]


def test_the_race_sees_a_key_that_two_have(shop: World, settings: Settings) -> None:
    """The same, where the database refuses nothing either: eight buyers have one key, and the race counts them."""
    without_the_last_net()
    tally = race(shop, settings, rounds=1, buyers=8, keys=1, clients=8, fault=Fault(at_once=8))
    assert (tally.handed_out, tally.duplicates) == (8, 7)
    assert "round 1: keys handed out: 8 instead of 1" in tally.faults
