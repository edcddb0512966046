#ifndef CLibCurl_h
#define CLibCurl_h

#include <curl/curl.h>
#include <stddef.h>

// curl_easy_setopt and curl_easy_getinfo are variadic, which Swift cannot call: one plain function for each shape of
// argument that an option takes.

CURLcode CLibCurl_set_long(CURL *handle, CURLoption option, long value);
CURLcode CLibCurl_set_offset(CURL *handle, CURLoption option, curl_off_t value);
CURLcode CLibCurl_set_string(CURL *handle, CURLoption option, const char *value);
CURLcode CLibCurl_set_pointer(CURL *handle, CURLoption option, void *value);
CURLcode CLibCurl_set_list(CURL *handle, CURLoption option, struct curl_slist *list);
// The bytes are copied.
CURLcode CLibCurl_set_blob(CURL *handle, CURLoption option, const void *bytes, size_t count);

// `data` reaches each of the three callbacks as its last argument.
CURLcode CLibCurl_set_callbacks(CURL *handle, curl_write_callback header, curl_write_callback write,
                                curl_read_callback read, void *data);

// Sockets that no child process inherits; libcurl's own way leaves them open across exec.
CURLcode CLibCurl_close_sockets_on_exec(CURL *handle);

CURLcode CLibCurl_get_long(CURL *handle, CURLINFO info, long *value);
CURLcode CLibCurl_get_pointer(CURL *handle, CURLINFO info, void **value);

// The result of a finished transfer (the C side keeps it in a union).
CURLcode CLibCurl_message_result(const CURLMsg *message);

#endif
