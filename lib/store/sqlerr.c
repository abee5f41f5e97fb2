#include "sqlerr.h"

#include <errno.h>

#include "check.h"
#include "err.h"

int al_sqlerr_of_errno(int sys)
{
    switch (sys) {
    case ENOSPC:
    case EDQUOT:
        return AL_E_FULL;
    case ENOMEM:
        return AL_E_NOMEM;
    case EROFS:
    case EACCES:
    case EPERM:
        return AL_E_READ_ONLY;
    case EEXIST:
        return AL_E_EXISTS;
    case ENOENT:
        return AL_E_NOT_FOUND;
    default:
        return AL_E_IO;
    }
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
        /* What the system said is more exact: the disk may be full. */
        return rc == SQLITE_IOERR_NOMEM ? AL_E_NOMEM : al_sqlerr_of_errno(sqlite3_system_errno(db));
    default:
        /* Wrong use is a bug of ours; all else (no such table, not a database) is the file's. */
        AL_ASSERT(rc != SQLITE_MISUSE && rc != SQLITE_OK);
        return AL_E_CORRUPT;
    }
}
