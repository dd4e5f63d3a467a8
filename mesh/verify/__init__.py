"""Gate 3: does the data of an environment keep what its contracts promise?

`verify(opened, "prod")` turns each contract into a Pandera schema on ibis and lets the
engine count what breaks it; no row leaves the engine but a few samples of what is broken.
"""

from mesh.verify.report import Outcome, ProductReport, Status, VerifyReport
from mesh.verify.run import newest_row, verify

__all__ = ["Outcome", "ProductReport", "Status", "VerifyReport", "newest_row", "verify"]
