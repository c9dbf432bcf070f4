"""
The numbers that operators watch, one registry per application.

Labels have few values and never a tenant's names: commands, outcomes, projections, routes, states.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, GCCollector, Histogram, ProcessCollector
from prometheus_client.exposition import generate_latest

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_FAST_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_TAKE_OVER_S: Final = (1.0, 5.0, 10.0, 10.5, 11.0, 11.5, 12.0, 13.0, 14.0, 15.0, 20.0, 30.0, 60.0)
_LATE_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)


class Metrics:
    """Every metric as an attribute; `render` is what `/metrics` answers."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._registry = registry
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)

        self.commands = Counter("eventjobs_commands", "Commands", ["command", "outcome"], registry=registry)
        self.lost_races = Counter("eventjobs_log_lost_races", "Appends that came second", registry=registry)
        self.head = Gauge("eventjobs_log_position", "Newest position known", registry=registry)

        self.projection_lag = Gauge(
            "eventjobs_projection_lag_events", "Positions a projection is behind", ["projection"], registry=registry
        )
        self.projection_stopped = Gauge(
            "eventjobs_projection_stopped", "1: stopped at an event", ["projection"], registry=registry
        )
        self.projected = Counter("eventjobs_projected_events", "Events projected", ["projection"], registry=registry)

        self.ledger_findings = Gauge(
            "eventjobs_ledger_findings", "What the audit of occurrences found", ["kind"], registry=registry
        )
        self.ledger_position = Gauge(
            "eventjobs_ledger_position", "Position up to which occurrences are audited", registry=registry
        )
        self.ledger_lag = Gauge(
            "eventjobs_ledger_lag_events", "Positions that the audit of occurrences is behind", registry=registry
        )

        self.lateness_s = Histogram(
            "eventjobs_occurrence_lateness_seconds", "From due to opened", buckets=_LATE_S, registry=registry
        )
        self.start_lateness_s = Histogram(
            "eventjobs_occurrence_start_lateness_seconds",
            "From due to the first job started",
            ["cause"],
            buckets=_LATE_S,
            registry=registry,
        )
        self.occurrences = Counter(
            "eventjobs_occurrences", "Occurrences answered by this process", ["outcome"], registry=registry
        )
        self.runs_ended = Counter("eventjobs_runs_ended", "Runs ended here", ["state"], registry=registry)
        self.runs_open = Gauge("eventjobs_runs_open", "Runs this process works on", registry=registry)
        self.runs_in_line = Gauge(
            "eventjobs_runs_in_line", "Runs of this process that wait for one of its places", registry=registry
        )
        self.attempts_ended = Counter("eventjobs_attempts_ended", "Attempts ended here", ["state"], registry=registry)
        self.superseded = Counter("eventjobs_superseded", "Commands of an older term refused", registry=registry)
        self.leases_lost = Counter("eventjobs_leases_lost", "Times the lease ran out", registry=registry)
        self.take_over_s = Histogram(
            "eventjobs_take_over_seconds",
            "From the last beat seen of an instance that died to each of its runs taken over here",
            buckets=_TAKE_OVER_S,
            registry=registry,
        )
        self.lease_trust_s = Gauge("eventjobs_lease_trust_seconds", "How long the lease is trusted", registry=registry)

        self.pool_wait_s = Histogram(
            "eventjobs_pool_wait_seconds",
            "How long a connection to the database was waited for",
            ["pool"],
            buckets=_FAST_S,
            registry=registry,
        )
        self.storage_bytes = Gauge(
            "eventjobs_storage_bytes", "What a part of the database weighs, with indexes", ["part"], registry=registry
        )

        self.notifications = Counter(
            "eventjobs_notification_attempts",
            "Tries at sending a message, by how they ended as recorded here, and messages given up",
            ["channel", "outcome"],
            registry=registry,
        )
        self.notifications_due = Gauge(
            "eventjobs_notifications_due", "Messages whose next try is due, a few of each recipient", registry=registry
        )
        self.alerts_raised = Counter("eventjobs_alerts_raised", "Incidents raised here", registry=registry)
        self.http_requests = Counter(
            "eventjobs_http_requests", "HTTP requests", ["method", "route", "status"], registry=registry
        )
        self.http_s = Histogram(
            "eventjobs_http_seconds", "Duration of HTTP requests", ["route"], buckets=_FAST_S, registry=registry
        )
        self.connections = Gauge("eventjobs_http_connections", "Open connections", registry=registry)
        self.connections_refused = Counter(
            "eventjobs_http_connections_refused", "Connections closed because there were too many", registry=registry
        )
        self.live_streams = Gauge("eventjobs_live_streams", "Open live streams", registry=registry)
        self.loop_lag_s = Histogram(
            "eventjobs_loop_lag_seconds", "How late the event loop answers", buckets=_FAST_S, registry=registry
        )

    def render(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self._registry)
