"""Sentences about alerts and the messages that tell of them."""

from collections.abc import Mapping
from typing import Final

from eventjobs.audit.sentences.words import Data, Teller, at, many, owner, span


def _raised(schedule: str, data: Data) -> str:
    limit = span(data["limit_s"]) if data.get("limit_s") else ""
    match data["alert"]:
        case "late" if data.get("reason"):
            what = f"{many(data['count'], 'occurrence')} from {at(data['due'])} on never started ({data['reason']})"
        case "late" if data.get("settled"):
            what = f"the occurrence due {at(data['due'])} started more than {limit} late"
        case "late":
            what = f"the occurrence due {at(data['due'])} has not started {limit} after it"
        case "too_long":
            what = f"run {data['run']} is open for {limit}"
        case "stuck":
            what = f"run {data['run']} makes no progress for {limit}"
        case "no_success":
            what = f"no run succeeded for {limit}"
        case _:
            what = f"{many(data['count'], 'run')} failed in a row, the last {data['run']}"
    return f"Alert for schedule {schedule}: {what}."


def _well_again(schedule: str, data: Data) -> str:
    about = f", run {data['run']}" if data.get("run") else ""
    return f"Schedule {schedule} recovered from {_alert(data)}: {data['cause']}{about}."


def _alert(data: Data) -> str:
    return str(data["alert"]).replace("_", " ")


def _wanted(_: str, data: Data) -> str:
    return (
        f"A message by {data['channel']} to {data['recipient']} is wanted: {data['kind']} of {owner(data['subject'])}."
    )


def _not_sent(notification: str, data: Data) -> str:
    doubt = "; it may have got through" if data["ambiguous"] else ""
    again = f"; it is tried again at {at(data['retry_at'])}" if data.get("retry_at") else ""
    return f"Try {data['attempt']} at sending message {notification} failed ({data['reason']}){doubt}{again}."


TELLERS: Final[Mapping[str, Teller]] = {
    "alert.dropped": lambda schedule, data: (
        f"The alert of schedule {schedule} ({_alert(data)}) is over: {str(data['reason']).replace('_', ' ')}."
    ),
    "alert.raised": _raised,
    "alert.recipient_disabled": lambda schedule, data: (
        f"Schedule {schedule} tells {data['recipient']} nothing more: it says that it is gone."
    ),
    "alert.recipients_enabled": lambda schedule, _: f"Schedule {schedule} tells everybody again.",
    "alert.recovered": _well_again,
    "mailbox.spared": lambda _, data: (
        f"Message {data['notification']} about {owner(data['subject'])} is counted by message {data['digest']}."
    ),
    "mailbox.summed_up": lambda _, data: f"Message {data['digest']} counts nothing more.",
    "mailbox.told": lambda _, data: f"Message {data['notification']} is mailed by itself.",
    "notification.attempted": lambda notification, data: (
        f"Try {data['attempt']} at sending message {notification} began."
    ),
    "notification.failed": _not_sent,
    "notification.given_up": lambda notification, data: (
        f"Message {notification} was given up after {many(data['attempts'], 'try', 'tries')} ({data['reason']})."
    ),
    "notification.requested": _wanted,
    "notification.suppressed": lambda notification, data: (
        f"Message {notification} is not sent, as there were enough in this hour: message {data['digest']} counts it."
    ),
    "notification.sent": lambda notification, data: f"Message {notification} was sent at try {data['attempt']}.",
}
