from eventjobs.telemetry.metrics import Metrics


def test_two_applications_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.commands.labels("CreateSchedule", "accepted").inc()
    wanted = b'eventjobs_commands_total{command="CreateSchedule",outcome="accepted"} 1.0'
    assert wanted in one.render()
    assert wanted not in other.render()


def test_every_metric_bears_our_name_or_the_process_s() -> None:
    names = {line.split()[2].decode() for line in Metrics().render().splitlines() if line.startswith(b"# TYPE")}
    assert names
    assert all(name.startswith(("eventjobs_", "process_", "python_gc_")) for name in names)
