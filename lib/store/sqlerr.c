#include "sqlerr.h"

#include "check.h"
#include "err.h"
#include "private.h"

/* What the system said last is more exact, but may stem from another call than the failed one. */
static int of_full_or_io(int sys)
{
    int err = al_private_err(sys);
    return err == AL_E_FULL || err == AL_E_READ_ONLY || err == AL_E_NOMEM ? err : AL_E_IO;
}

int al_sqlerr(sqlite3 *db, int rc)
{
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return AL_E_FULL;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        return AL_E_BUSY;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return AL_E_READ_ONLY;
    case SQLITE_NOMEM:
        return AL_E_NOMEM;
    case SQLITE_TOOBIG:
        return AL_E_LENGTH;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
        if (rc == SQLITE_IOERR_NOMEM)
            return AL_E_NOMEM;
        return of_full_or_io(sqlite3_system_errno(db));
    default:
        /* Wrong use is a bug of ours; all else (no such table, not a database) is the file's. */
        AL_ASSERT(rc != SQLITE_MISUSE && rc != SQLITE_OK);
        return AL_E_CORRUPT;
    }
}
