"""Why the system refused a file, in the reader's language.

In: an `OSError`.  Out: `Words` for a message.  Always: the common reasons are said in both languages; a rare one in
the system's own words.

    reason(PermissionError(13, "Permission denied"))      # Words("system.forbidden")
"""

from __future__ import annotations

import errno

from segrules.diagnostics.diagnostic import Words

_KEYS = {
    errno.EACCES: "system.forbidden",
    errno.EPERM: "system.forbidden",
    errno.ENOENT: "system.not_there",
    errno.ENOTDIR: "system.no_folder",
    errno.EISDIR: "system.is_folder",
    errno.EEXIST: "system.exists",
    errno.ELOOP: "system.link_loop",
    errno.ENOSPC: "system.full",
    errno.EDQUOT: "system.full",
    errno.EFBIG: "system.full",
    errno.EROFS: "system.read_only",
    errno.ENAMETOOLONG: "system.long_name",
}


def reason(refused: OSError) -> Words:
    """What stands behind *refused*, as an argument of a message."""
    key = _KEYS.get(refused.errno or 0)
    if key is not None:
        return Words(key)
    return Words("system.other", {"reason": (refused.strerror or str(refused) or type(refused).__name__).lower()[:200]})
