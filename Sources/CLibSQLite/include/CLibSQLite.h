#ifndef CLibSQLite_h
#define CLibSQLite_h

#include <sqlite3.h>

// SQLITE_TRANSIENT is a cast that Swift does not import: the value is copied during the call.
int innkeeper_sqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, sqlite3_uint64 count);
int innkeeper_sqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 count);

// sqlite3_db_config is variadic, which Swift does not import. Returns an SQLite result code.
int innkeeper_sqlite_defensive(sqlite3 *database);

#define INNKEEPER_SQLITE_VFS "innkeeper"
// Registers the VFS of that name, which keeps a checksum in each page. Once a process; returns an SQLite result code.
int innkeeper_sqlite_register_checksums(void);
// Asks for room for the checksums: in a new file at once, in another with its next VACUUM.
int innkeeper_sqlite_reserve_checksums(sqlite3 *database);
// Leaves the write-ahead log where it is when the connection closes.
int innkeeper_sqlite_keep_log(sqlite3 *database, int keep);

// SQLITE_IOERR_DATA is a macro with a shift, which Swift does not import.
enum { INNKEEPER_SQLITE_BAD_SUM = SQLITE_IOERR_DATA };

#endif
