"""What the appender remembers of streams is exact or nothing."""

from copy import deepcopy

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from eventjobs.events.recorded import StreamId
from eventjobs.log.versions import StreamVersions

streams = st.builds(StreamId, st.just("w"), st.sampled_from([f"s:{number}" for number in range(12)]))


class Notes(RuleBasedStateMachine):
    """Appends of this process and of others, look-ups that come late, and generations that turn."""

    def __init__(self) -> None:
        super().__init__()
        self.head = 5
        self.log: list[StreamId] = []
        self.versions = StreamVersions(self.head, generation=3)
        self.pending: tuple[int, dict[StreamId, int]] | None = None

    def version(self, stream: StreamId, position: int | None = None) -> int:
        written = self.log if position is None else self.log[: position - 5]
        return written.count(stream)

    def write(self, stream: StreamId) -> None:
        self.log.append(stream)
        self.head += 1

    @rule(stream=streams)
    def this_process_writes(self, stream: StreamId) -> None:
        self.write(stream)
        self.versions.wrote({stream: self.version(stream)})
        self.versions.turn(self.head)

    @rule(stream=streams)
    def another_process_writes(self, stream: StreamId) -> None:
        self.write(stream)
        self.versions.saw(stream, self.version(stream))
        self.versions.turn(self.head)

    @rule(stream=streams)
    def a_look_up_begins(self, stream: StreamId) -> None:
        self.pending = (self.head, {stream: self.version(stream)})

    @rule()
    def a_look_up_ends(self) -> None:
        if self.pending is not None and self.versions.covers(self.pending[0]):
            self.versions.learned(self.pending[1])
        self.pending = None

    def find(self, stream: StreamId) -> int | None:
        return deepcopy(self.versions).find(stream)  # looking must not keep it in memory

    @rule(stream=streams)
    def a_stream_is_used(self, stream: StreamId) -> None:
        self.versions.find(stream)

    @invariant()
    def what_is_remembered_is_true(self) -> None:
        for number in range(12):
            stream = StreamId("w", f"s:{number}")
            assert self.find(stream) in (None, self.version(stream))

    @invariant()
    def a_stream_not_remembered_did_not_change_since_what_is_covered(self) -> None:
        for position in range(5, self.head + 1):
            if self.versions.covers(position):
                for stream in set(self.log[position - 5 :]):
                    assert self.find(stream) is not None

    @invariant()
    def memory_is_bounded(self) -> None:
        assert len(self.versions._young) <= 3 + 12
        assert self.versions.covers(self.head)


TestNotes = Notes.TestCase
TestNotes.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
