"""x"""

from segrules.diagnostics.diagnostic import Diagnostic


def diagnose(f, source, folded):
    return Diagnostic("S201", source.span(f.token.start, f.token.end), {})
