#ifndef CLibSSL_h
#define CLibSSL_h
#include <openssl/ssl.h>
#include <openssl/err.h>
#endif
