#include "CLibCurl.h"

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

CURLcode CLibCurl_set_long(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

CURLcode CLibCurl_set_offset(CURL *handle, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(handle, option, value);
}

CURLcode CLibCurl_set_string(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

CURLcode CLibCurl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}

CURLcode CLibCurl_set_list(CURL *handle, CURLoption option, struct curl_slist *list) {
    return curl_easy_setopt(handle, option, list);
}

CURLcode CLibCurl_set_blob(CURL *handle, CURLoption option, const void *bytes, size_t count) {
    struct curl_blob blob = {.data = (void *)bytes, .len = count, .flags = CURL_BLOB_COPY};
    return curl_easy_setopt(handle, option, &blob);
}

CURLcode CLibCurl_set_callbacks(CURL *handle, curl_write_callback header, curl_write_callback write,
                                curl_read_callback read, void *data) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, header);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_HEADERDATA, data);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, write);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_WRITEDATA, data);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_READFUNCTION, read);
    if (code == CURLE_OK) code = curl_easy_setopt(handle, CURLOPT_READDATA, data);
    return code;
}

static int is_within(uint32_t address, uint32_t network, int length) {
    return (address ^ network) >> (32 - length) == 0;
}

// The IANA registries of special-purpose addresses.
static int is_public_v4(uint32_t address) {
    static const struct { uint32_t network; int length; } special[] = {
        {0x00000000, 8},  {0x0A000000, 8},  {0x64400000, 10}, {0x7F000000, 8},  {0xA9FE0000, 16}, {0xAC100000, 12},
        {0xC0000000, 24}, {0xC0000200, 24}, {0xC0586300, 24}, {0xC0A80000, 16}, {0xC6120000, 15}, {0xC6336400, 24},
        {0xCB007100, 24}, {0xE0000000, 4},  {0xF0000000, 4},
    };
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (is_within(address, special[i].network, special[i].length)) return 0;
    return 1;
}

// Global unicast alone, without what carries IPv4 addresses or is for documentation.
static int is_public_v6(const uint8_t *a) {
    if ((a[0] & 0xE0) != 0x20) return 0;
    if (a[0] == 0x20 && a[1] == 0x02) return 0;
    if (a[0] == 0x20 && a[1] == 0x01 && (a[2] < 0x02 || (a[2] == 0x0D && a[3] == 0xB8))) return 0;
    if (a[0] == 0x3F && a[1] == 0xFF && a[2] < 0x10) return 0;
    return 1;
}

static int is_reachable(int reach, const struct curl_sockaddr *address) {
    if (reach == 0) return 1;
    if (address->family == AF_INET) {
        uint32_t v4 = ntohl(((const struct sockaddr_in *)&address->addr)->sin_addr.s_addr);
        return reach == 2 ? v4 >> 24 == 127 : is_public_v4(v4);
    }
    if (address->family == AF_INET6) {
        const uint8_t *v6 = ((const struct sockaddr_in6 *)&address->addr)->sin6_addr.s6_addr;
        static const uint8_t loopback[16] = {[15] = 1};
        return reach == 2 ? memcmp(v6, loopback, 16) == 0 : is_public_v6(v6);
    }
    return 0;
}

static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address) {
    CLibCurl_Reach *reach = data;
    (void)purpose;
    if (!is_reachable(reach->reach, address)) {
        reach->refused = 1;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

CURLcode CLibCurl_open_sockets(CURL *handle, CLibCurl_Reach *reach) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    return code == CURLE_OK ? curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, reach) : code;
}

CURLcode CLibCurl_get_long(CURL *handle, CURLINFO info, long *value) {
    return curl_easy_getinfo(handle, info, value);
}

CURLcode CLibCurl_get_pointer(CURL *handle, CURLINFO info, void **value) {
    return curl_easy_getinfo(handle, info, value);
}

CURLcode CLibCurl_message_result(const CURLMsg *message) { return message->data.result; }
