"""
What the facts of Connect jobs and of groups share: who is told of a run, and who is a member.

These values are stored inside events: their field names are a storage format.
"""

from dataclasses import dataclass

from eventjobs.events.run import Ref
from eventjobs.events.schedule import AlertWebhook


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """
    Who is told that a run ended (G64 to G70): `mode` is `always`, `failure` or `none`.

    `failure_recipients` are told of failures besides, and by `also_send_job_mails` those of each job of a group how it
    went in the group's run (G66). A run with rejected records, and the first one that succeeds
    after a failure, are told under `failure` only where `on_rejects` and `on_recovery` say so. `on_success` are called
    whenever a group's run succeeded, whatever the mode (G52).
    """

    mode: str = "none"
    recipients: tuple[str, ...] = ()
    failure_recipients: tuple[str, ...] = ()
    webhooks: tuple[AlertWebhook, ...] = ()
    on_rejects: bool = False
    on_recovery: bool = False
    also_send_job_mails: bool = False
    on_success: tuple[AlertWebhook, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A job of a group, in the order of the group; the group goes on after the failure of one not `required`."""

    job: Ref
    required: bool = True
