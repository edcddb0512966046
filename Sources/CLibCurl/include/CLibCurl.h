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

// To which addresses a transfer may connect: 0 to all, 1 to public ones, 2 to the loopback. `refused` is set when an address was none.
typedef struct {
    int reach;
    int refused;
} CLibCurl_Reach;

// Sockets that no child process inherits; libcurl's own way leaves them open across exec. What a name leads to is judged here, after it
// was resolved and before anything is sent. The struct must outlive the handle.
CURLcode CLibCurl_open_sockets(CURL *handle, CLibCurl_Reach *reach);

CURLcode CLibCurl_get_long(CURL *handle, CURLINFO info, long *value);
CURLcode CLibCurl_get_pointer(CURL *handle, CURLINFO info, void **value);

// The result of a finished transfer (the C side keeps it in a union).
CURLcode CLibCurl_message_result(const CURLMsg *message);

#endif
