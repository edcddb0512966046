#ifndef CLibSQLite_h
#define CLibSQLite_h

#include <sqlite3.h>

// SQLITE_TRANSIENT is a cast that Swift does not import: the value is copied during the call.
int innkeeper_sqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, sqlite3_uint64 count);
int innkeeper_sqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 count);

// sqlite3_db_config is variadic, which Swift does not import. Returns an SQLite result code.
int innkeeper_sqlite_defensive(sqlite3 *database);

#endif
