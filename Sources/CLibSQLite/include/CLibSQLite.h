#ifndef CLibSQLite_h
#define CLibSQLite_h
#include <sqlite3.h>
#endif
