"""`vitrine ab report`: an experiment's figures from the live events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.errors import ConfigError, DataError, did_you_mean
from catalog.event_experiments import deeds_since, experiment_slates, experiment_tenants
from catalog.tenancy import current_tenant
from eval.ab import AbReport, ab_report
from eval.ab_units import BEFORE, arms_data, exposed
from vitrine.settings import Settings

if TYPE_CHECKING:
    from catalog.event_store import SqlEventStore


def report_experiment(
    settings: Settings,
    events: SqlEventStore,
    experiment: str | None = None,
    control: str | None = None,
    *,
    cuped: bool = False,
) -> AbReport:
    """Return the figures of an experiment for the tenant at hand.

    Args:
        settings: Name the experiment that runs and its arms; one that is over needs only its name.
        events: Where slates and events rest.
        experiment: Its name; None: the one of the settings.
        control: The arm the others are compared with; None: the first of the settings, or of the alphabet.
        cuped: Take out of the counts what each shopper's own past foretells.

    Raises:
        ConfigError: When no experiment is named, or the control is none of its arms.
        DataError: When nothing was shown by it to the tenant's shoppers; the text names tenants that have any.
    """
    running = settings.experiment
    name = experiment or (running.id if running else None)
    if name is None:
        raise ConfigError("no experiment is named; --experiment ID or the setting experiment.id would be valid")
    try:
        found = exposed(experiment_slates(events), name)
    except DataError as error:
        mine = current_tenant()
        if not (others := [each for each in experiment_tenants(events) if each != mine]):
            raise
        raise DataError(f"{error}, as tenant {mine!r}; of others there are: --tenant {', '.join(others)}") from error
    order = list(running.arms) if running is not None and running.id == name else sorted(found.shares)
    if running is not None and running.id == name:
        for arm, share in running.shares().items():
            found.shares.setdefault(arm, share)
    if control is not None:
        if control not in found.shares:
            raise ConfigError(f"--control {control!r} is no arm. {did_you_mean(control, sorted(found.shares))}")
        order = [control, *(arm for arm in order if arm != control)]
    arms = arms_data(found, deeds_since(events, found.since - BEFORE), order)
    notes = []
    if found.moved:
        notes.append(f"{found.moved:,} shoppers were seen in more than one arm and are left out")
    if found.changed:
        notes.append("the arms' weights were changed while it ran; a new experiment.id draws everybody anew")
    return ab_report(name, arms, cuped=cuped, notes=notes)
