"""Error codes that many calls have in common."""

LOCKS = ("USER_TEMPORARILY_LOCKED", "USER_LOCKED")
NO_USER = ("USER_NOT_FOUND",)
CLOUD = ("AIRLOCK_2FA_UNAVAILABLE",)
