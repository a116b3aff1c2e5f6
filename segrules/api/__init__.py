"""segrules from Python: load a project, bind data, evaluate, ask.

In: a folder; DataFrames or anything with the Arrow PyCapsule interface.  Out: `Project`, `Bound`, `Run`, whose
answers are pandas objects.  Always: the same rules and the same numbers as the command line; what is wrong is one of
the exceptions of `segrules.errors`, with `.diagnostics`; pandas is imported when the first answer is asked for.

    run = segrules.load("demo").evaluate(as_of="2026-06-30")
    run.counts["star"], run.frame(["star", "annual_spend"]), run.explain("C00042", "star")
"""

from __future__ import annotations

from segrules.api.planned import PlannedRun
from segrules.api.project import Bound, Project, load
from segrules.api.run import Explanation, Run

__all__ = ["Bound", "Explanation", "PlannedRun", "Project", "Run", "load"]
