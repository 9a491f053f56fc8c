"""A typed graph as text, in the core of the language: every axis and size written out, nothing lifted, nothing inlined.

The text is a spec: elaborating it gives the graph back. A block of the graph is a `block`, a node a statement under its
own name. What the text does not say is where the graph came from: spans, paths, and the words of specialised blocks.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from archc.formula.tree import Apply, Formula
from archc.ir.express import NOWHERE, Writer, name, number
from archc.ir.graph import Block, Symbol, TypedGraph, nested
from archc.ir.node import Assume, Call, Compute, Initial, Node, Operate, Parameter, Region, Repeat, Value
from archc.ir.write import attributes
from archc.syntax import tree
from archc.syntax.unparse import unparse
from archc.types.size import Size
