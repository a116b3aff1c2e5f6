"""Who has had this action already: `repeat:` over the history.

In: facts, an action, rows.  Out: who drops out, and who of them entered without a cause.  Always: every contact counts
that was not rejected or cancelled, held out ones too; one that is still on its way counts.

A stay begins at the first applied run in which `for` turns TRUE, with a cause: `baseline` where that run was the first
that knew the action, `rule` where what `for` means had changed, else `data`.  `on: entry` is for stays that began by
data, with `existing: include` for any, and until the first contact since the stay began.

    repeated(facts, action, rows)      # (out, without a cause), per row
"""

from __future__ import annotations

from typing import assert_never

import numpy as np

from segrules.decide.facts import Facts
from segrules.decide.recorded import action_name
from segrules.model.campaign import Action, Every, Once, OnEntry, Period
from segrules.state.records import CAUSES
from segrules.tables.columns import Bools, Ints


def repeated(facts: Facts, action: Action, rows: Ints) -> tuple[Bools, Bools]:
    """Who of *rows* may not have the action again, and who of those has a stay that began by no data."""
    contacts = facts.history.contacts
    counting = facts.counting_of(action)
    nobody = np.zeros(len(rows), np.bool_)
    match action.repeat:
        case Once():
            return _somebody(facts, contacts.row[counting])[rows], nobody
        case Every(period):
            return _somebody(facts, _since(facts, counting, period))[rows], nobody
        case OnEntry(at_most, existing):
            began, by_data = stays(facts, action, rows)
            latest = np.full(facts.customers + 1, -1, np.int64)
            np.maximum.at(latest, contacts.row[counting], contacts.serial[counting])
            contacted = latest[rows] >= began
            if at_most is not None:
                contacted |= _somebody(facts, _since(facts, counting, at_most))[rows]
            waiting = nobody if existing else ~by_data
            return contacted | waiting, waiting
        case _:
            assert_never(action.repeat)


def stays(facts: Facts, action: Action, rows: Ints) -> tuple[Ints, Bools]:
    """The serial with which the stay of each of *rows*, all of whom match `for`, began, one more than any where it
    begins now; and whether it began by data."""
    name = action_name(action)
    now = np.iinfo(np.int64).max
    standing = facts.history.standing.get(name)
    if standing is None:
        return np.full(len(rows), now), np.zeros(len(rows), np.bool_)
    inside = standing.members[rows]
    unchanged = standing.fingerprint == facts.fingerprints.get(name)
    by_data = np.where(inside, standing.cause[rows] == CAUSES.index("data"), unchanged)
    return np.where(inside, standing.since[rows], now), by_data


def contacts_so_far(facts: Facts, action: Action, rows: Ints) -> Ints:
    """How many contacts of *action* each of *rows* had that were not cancelled: the number of the last."""
    contacts = facts.history.contacts
    found = facts.contacts_of(action)
    found = found[contacts.row[found] >= 0]
    counted = np.bincount(contacts.row[found], minlength=facts.customers)
    np.maximum.at(counted, contacts.row[found], contacts.n[found])
    return counted[rows].astype(np.int64)


def _since(facts: Facts, counting: Ints, period: Period) -> Ints:
    """The customers of the contacts of the last days."""
    contacts = facts.history.contacts
    return contacts.row[counting[contacts.day[counting] >= facts.first_day(period)]]


def _somebody(facts: Facts, customers: Ints) -> Bools:
    """Per customer whether they are among *customers*, of whom -1 is nobody in the run."""
    found = np.zeros(facts.customers + 1, np.bool_)
    found[customers] = True
    return found
