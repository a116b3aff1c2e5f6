"""The screen of a plan: what would change, and where everyone who matches an action ends.

In: a manifest, the campaign it was made by.  Out: lines.  Always: figures only, nobody is named; every waterfall adds
up to its last line; what is not changed is counted, not listed.

    screen(plan.manifest, ruleset.campaign, "en")
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from segrules.diagnostics.catalogue import Language, say
from segrules.model.campaign import Action, Campaign, Every, Once, OnEntry, Period, Stage
from segrules.plan.document import GuardCheck, Manifest, SegmentChange, Waterfall
from segrules.plan.guards import money, percent
from segrules.plan.identity import data_hash
from segrules.report.screen import Cell, Line, Piece, line, table
from segrules.schema.calendar import to_date

SHORT_COMMIT = 7
SHORT_HASH = 4


def screen(
    manifest: Manifest, campaign: Campaign, language: Language, why_unknown: Mapping[str, str] | None = None
) -> list[Line]:
    """The whole plan; *why_unknown* says, by segment, what is missing where nobody can say."""
    blocks = [
        _segments(manifest.segments, why_unknown or {}, language),
        *_waterfalls(manifest.waterfalls, campaign, language),
        _guards(manifest.guards, language),
    ]
    lines = [header(manifest, language)]
    for block in blocks:
        lines += [line(), *block] if block else []
    return [*lines, total(manifest, language)]


def summary(manifest: Manifest, language: Language) -> list[Line]:
    """One line for each action."""
    rows: list[list[Cell]] = []
    for each in manifest.waterfalls:
        said = say(
            "plan.summary_line",
            language,
            matched=f"{each.matched:,}",
            selected=f"{each.selected:,}",
            held_out=f"{each.stages['action hold-out']:,}",
            cost=money(each.cost),
        )
        rows.append([Piece(each.action, "bold"), each.label or "", said])
    guards = _guards(manifest.guards, language)
    return [header(manifest, language), *table(rows), *guards, total(manifest, language)]


def header(manifest: Manifest, language: Language) -> Line:
    """Which project, rules, date, data and environment a plan is about."""
    number = say("cli.customers", language, n=f"{manifest.customers:,}")
    state = {True: "clean", False: "changed", None: "none"}[manifest.clean]
    parts = [
        manifest.project,
        say(
            "plan.rules",
            language,
            id=(manifest.commit or manifest.model)[:SHORT_COMMIT],
            state=say(f"plan.git_{state}", language),
        ),
        say("plan.as_of", language, date=to_date(manifest.as_of).isoformat(), zone=manifest.timezone),
        number if (data := data_hash(manifest.sources)) is None else _data(data, number, language),
        manifest.environment,
    ]
    return line(Piece(say("plan.title", language), "bold"), " · ", " · ".join(parts))


def _data(data: str, customers: str, language: Language) -> str:
    return say("plan.data", language, id=f"{data[:SHORT_HASH]}…", customers=customers)


def _segments(changes: Sequence[SegmentChange], why_unknown: Mapping[str, str], language: Language) -> list[Line]:
    rows: list[list[Cell]] = []
    for each in changes:
        if each.before is not None and not each.moved:
            continue
        mark = Piece("+", "green") if each.before is None else Piece("~", "yellow")
        notes = [say("plan.rule_changed", language)] if each.cause == "rule" else []
        if each.unknown and each.name in why_unknown:
            notes.append(say("plan.missing", language, names=why_unknown[each.name]))
        rows.append(
            [
                mark,
                Piece(f"{each.name} {each.label or ''}".rstrip(), "bold"),
                f"{each.now:,}",
                "–" if each.before is None else f"{each.before:,}",
                f"{each.entered:+,}" if each.entered else "0",
                f"{-each.left:+,}" if each.left else "0",
                Piece(f"{each.unknown:,}", "yellow" if each.unknown else ""),
                Piece(" · ".join(notes), "dim"),
            ]
        )
    titles: list[Cell] = [
        Piece(say(f"plan.{key}", language), "dim") for key in ("segment", "now", "before", "in", "out", "unknown")
    ]
    return table([["", *titles], *rows], right={2, 3, 4, 5, 6}, indent=0) if rows else []


def _waterfalls(waterfalls: Sequence[Waterfall], campaign: Campaign, language: Language) -> list[list[Line]]:
    """A block for each action; the columns of all of them stand under each other."""
    rows = [list(_steps(each, campaign.actions.get(each.action), language)) for each in waterfalls]
    aligned = iter(table([row for block in rows for row in block], right={1}, indent=4))
    found = []
    for each, block in zip(waterfalls, rows, strict=True):
        label = f" {each.label}" if each.label else ""
        title = line("  ", Piece(each.action, "bold"), f"{label} → {', '.join(each.channels)}")
        lines = [title, *(next(aligned) for _ in block)]
        if each.waiting:
            lines.append(line("    ", Piece(say("plan.waiting", language, n=f"{each.waiting:,}"), "dim")))
        found.append(lines)
    return found


def _steps(one: Waterfall, action: Action | None, language: Language) -> Iterator[list[Cell]]:
    yield [say("plan.matched", language), f"{one.matched:,}"]
    for stage, number in one.stages.items():
        if number and stage != "selected":
            yield [stage_name(stage, action, language), f"{-number:+,}"]
    cost = say("plan.cost", language, amount=money(one.cost))
    yield [Piece(say("plan.selected", language), "bold"), Piece(f"{one.selected:,}", "bold"), f"  {cost}"]


def stage_name(stage: Stage, action: Action | None, language: Language) -> str:
    """A stage in the words of the action: `repeat (90 days)`, `group winback`."""
    repeat = Once() if action is None else action.repeat
    match stage, repeat:
        case "repeat", Once():
            return say("plan.repeat", language, every=say("plan.once", language))
        case "repeat", Every(period):
            return say("plan.repeat", language, every=_period(period, language))
        case "repeat", OnEntry():
            return say("plan.repeat", language, every=say("plan.on_entry", language))
        case "group", _:
            return say("plan.group", language, name="" if action is None else action.group or "").rstrip()
        case _:
            return say(f"plan.{stage}", language)


def _period(period: Period, language: Language) -> str:
    return say(f"plan.{period.unit}", language, n=period.amount)


def _guards(guards: Sequence[GuardCheck], language: Language) -> list[Line]:
    if not guards:
        return []
    parts: list[Cell] = []
    for each in guards:
        stops = each.exceeded and not each.allowed
        text = _guard(each, language)
        if each.exceeded:
            text = f"{text} {say('plan.allowed' if each.allowed else 'plan.exceeded', language)}"
        parts += [" · ", Piece(text, "red" if stops else "yellow" if each.exceeded else "")]
    if not any(each.exceeded for each in guards):
        parts += ["   ", Piece(say("plan.ok", language), "green")]
    return [line("  ", say("plan.guards", language), *parts[1:])]


def _guard(guard: GuardCheck, language: Language) -> str:
    match guard.name:
        case "max_members_changed":
            found, limit = percent(guard.found), percent(guard.limit)
            return say(f"plan.{guard.name}", language, found=found, limit=limit)
        case "max_spend":
            return say(f"plan.{guard.name}", language, found=money(int(guard.found)), limit=money(int(guard.limit)))
        case "max_contacted":
            return say(f"plan.{guard.name}", language, found=f"{int(guard.found):,}", limit=f"{int(guard.limit):,}")
        case "require_clean_git":
            return say(f"plan.{guard.name}", language, found=say(f"plan.git_{guard.found}", language))


def total(manifest: Manifest, language: Language) -> Line:
    """What the plan comes to."""
    added = sum(each.before is None for each in manifest.segments)
    changed = sum(each.moved > 0 for each in manifest.segments)
    counts = {"added": added, "changed": changed, "unchanged": len(manifest.segments) - added - changed}
    parts = [say(f"plan.{key}", language, n=f"{number:,}") for key, number in counts.items()]
    contacts = say("plan.contacts", language, n=f"{manifest.contacts:,}", cost=money(manifest.cost))
    comma, semicolon = (", ", "; ") if language == "en" else ("，", "；")
    return line(Piece(say("plan.total", language), "bold"), comma.join(parts), semicolon, contacts)


def has_changes(manifest: Manifest) -> bool:
    """Whether applying the plan would contact somebody, hold somebody out, or change a membership."""
    return any(each.selected or each.stages["action hold-out"] for each in manifest.waterfalls) or any(
        each.before is None or each.moved for each in manifest.segments
    )
