"""What a stolen session can become: the identities that a thief can turn it into, and the calls that do it."""

from __future__ import annotations

from pytest_stsguard.reach.blast.ground import Ground
from pytest_stsguard.reach.blast.model import Blast, Call, Edge, Node
from pytest_stsguard.reach.blast.walk import EVERY_STEP, blast_radius

__all__ = ["EVERY_STEP", "Blast", "Call", "Edge", "Ground", "Node", "blast_radius"]
