#include "CLibSQLite.h"
