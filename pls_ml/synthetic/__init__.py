"""A seeded invented product with known truth: its log, its customers, and the mechanism that made them buy."""

from pls_ml.synthetic.truth import Truth
from pls_ml.synthetic.world import World, generate_world
from pls_ml.synthetic.world_files import write_world
from pls_ml.synthetic.world_spec import WorldSpec

__all__ = ["Truth", "World", "WorldSpec", "generate_world", "write_world"]
