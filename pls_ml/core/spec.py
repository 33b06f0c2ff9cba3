"""The base of every declared thing: frozen, and refusing keys it does not know."""

from pydantic import BaseModel, ConfigDict


class Spec(BaseModel):
    """A piece of configuration; read once, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
