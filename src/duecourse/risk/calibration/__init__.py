"""Learning from outcomes (模型校准): the firm's own defaults move the shipped model, as far as they can carry it; and how good either is."""

from duecourse.risk.calibration.judging import Judgement, auc, brier, judgement, ks, log_loss
from duecourse.risk.calibration.leaks import Leak, leaks
from duecourse.risk.calibration.updating import Updated, updated

__all__ = ["Judgement", "Leak", "Updated", "auc", "brier", "judgement", "ks", "leaks", "log_loss", "updated"]
