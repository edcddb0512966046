#ifndef CLibCurl_h
#define CLibCurl_h
#include <curl/curl.h>
#endif
