"""The deployment's own sign of life."""

from collections.abc import Sequence

from eventjobs.outbound.addresses import OutboundRules
from eventjobs.outbound.guarded import GuardedOutbound
from eventjobs.runner.heartbeat import Heartbeat
from tests.channels.sinks import HttpSink
from tests.support.time import FrozenClock

LOCAL = GuardedOutbound(OutboundRules.parse(["127.0.0.1"]))


async def test_it_is_given_while_the_service_is_well_by_the_one_whose_turn_it_is() -> None:
    sink = await HttpSink().open()
    trouble: list[str] = []
    turn = [True]

    async def problems() -> Sequence[str]:
        return trouble

    heart = Heartbeat(f"{sink.url}/alive", LOCAL, FrozenClock(), problems, is_ours=lambda: turn[0])
    try:
        assert await heart.beat()
        trouble.append("log_unreachable")
        assert not await heart.beat()
        trouble.clear()
        turn[0] = False
        assert not await heart.beat()
        assert len(sink.taken) == 1

        turn[0] = True
        sink.plans["/alive"] = [500]
        assert await heart.beat(), "the monitor's trouble is not the service's"
    finally:
        await sink.close()
