"""Every image decoded once, before the first step: what a training reads its pixels from."""

from cbir.training.feeding.decoded.decode import Decoded, decode_images
from cbir.training.feeding.decoded.plan import CachedPlan, branch_plans, network_plans
from cbir.training.feeding.decoded.store import Pixels

__all__ = ["CachedPlan", "Decoded", "Pixels", "branch_plans", "decode_images", "network_plans"]
