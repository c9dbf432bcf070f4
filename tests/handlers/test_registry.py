"""The handlers by name, and what is told of them."""

from typing import Any

from pydantic import BaseModel

from eventjobs.handlers.context import HandlerContext, Result
from eventjobs.handlers.registry import Handler, Registry


class Counted(BaseModel):
    """A configuration that counts how often its schema was made."""

    seconds: float

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        MADE.append(1)
        return super().model_json_schema(*args, **kwargs)


MADE: list[int] = []


async def rest(_context: HandlerContext, _config: Counted) -> Result:
    return Result()


def test_a_schema_is_made_once_however_often_it_is_shown() -> None:
    registry = Registry({"rest": Handler(name="rest", summary="", config=Counted, run=rest)})

    shown = [registry.schema("rest") for _ in range(3)]

    assert [sorted(one["properties"]) for one in shown] == [["seconds"]] * 3
    assert len(MADE) == 1
