"""Grade version 1 (信用评级): accounts, conduct and signals brought to one probability of default and one grade.

A version that has decided something stays as it is; the parameters are text (`parameters.json`), explained in docs/reference/grade-v1.md.
"""

from duecourse.risk.grade_v1.combining import Combined, Parameters, Weights, combine, parameters, weights_of

__all__ = ["Combined", "Parameters", "Weights", "combine", "parameters", "weights_of"]
