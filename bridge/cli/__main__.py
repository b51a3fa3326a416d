"""``python -m bridge.cli`` is ``picsello-bridge``."""

import sys

from bridge.cli import main

sys.exit(main())
