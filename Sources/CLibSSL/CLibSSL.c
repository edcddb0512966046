#include "CLibSSL.h"
