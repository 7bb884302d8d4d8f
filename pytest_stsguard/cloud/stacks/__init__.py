"""CLOUDFORMATION, RESOURCE BY RESOURCE: what a stack makes is made by calls, in the name of who asked for it.

Stacks, templates, change sets and events are moto's; the resources are not: each is made, changed and deleted by the calls
that its kind needs (`kinds`), which go through the gate like any other. So they are judged, carried out and recorded one by
one, and no policy is passed by.

See "Forward access sessions (FAS) requests and permission evaluation" in the AWS CloudFormation User Guide.
"""

from __future__ import annotations

from .hook import trusted
from .stacks import Stacks

__all__ = ["Stacks", "trusted"]
