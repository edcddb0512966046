#include "CLibSSL.h"

EVP_PKEY *innkeeper_p256_generate(void) { return EVP_EC_gen("P-256"); }

long innkeeper_bio_memory(BIO *bio, const char **bytes) { return BIO_get_mem_data(bio, (char **)bytes); }
void innkeeper_bio_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
void innkeeper_bio_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }

static int no_passphrase(char *buffer, int size, int writing, void *context) { return -1; }

X509 *innkeeper_pem_certificate(BIO *bio) { return PEM_read_bio_X509(bio, NULL, no_passphrase, NULL); }
X509_REQ *innkeeper_pem_request(BIO *bio) { return PEM_read_bio_X509_REQ(bio, NULL, no_passphrase, NULL); }
EVP_PKEY *innkeeper_pem_key(BIO *bio) { return PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL); }

int innkeeper_certificate_extend(X509 *certificate, X509 *issuer, int nid, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    if (extension == NULL) return 0;
    int added = X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    return added;
}

size_t innkeeper_names_count(const GENERAL_NAMES *names) { return (size_t)sk_GENERAL_NAME_num(names); }
GENERAL_NAME *innkeeper_names_at(const GENERAL_NAMES *names, size_t index) {
    return sk_GENERAL_NAME_value(names, (int)index);
}
int innkeeper_names_push(GENERAL_NAMES *names, GENERAL_NAME *name) { return sk_GENERAL_NAME_push(names, name) > 0; }
GENERAL_NAMES *innkeeper_certificate_names(X509 *certificate) {
    return X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
}
int innkeeper_name_type(const GENERAL_NAME *name) { return name->type; }
const ASN1_STRING *innkeeper_name_text(const GENERAL_NAME *name) {
    switch (name->type) {
        case GEN_DNS: return name->d.dNSName;
        case GEN_URI: return name->d.uniformResourceIdentifier;
        case GEN_IPADD: return name->d.iPAddress;
        default: return NULL;
    }
}

size_t innkeeper_chain_count(const STACK_OF(X509) *chain) { return chain == NULL ? 0 : (size_t)sk_X509_num(chain); }
X509 *innkeeper_chain_at(const STACK_OF(X509) *chain, size_t index) { return sk_X509_value(chain, (int)index); }
STACK_OF(X509) *innkeeper_chain_new(void) { return sk_X509_new_null(); }
int innkeeper_chain_push(STACK_OF(X509) *chain, X509 *certificate) { return sk_X509_push(chain, certificate) > 0; }
void innkeeper_chain_free(STACK_OF(X509) *chain) { sk_X509_free(chain); }

int innkeeper_context_prepare(SSL_CTX *context) {
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE
                                  | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_NO_AUTO_CHAIN);
    return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1
        && SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1
        && SSL_CTX_set1_groups_list(context, "X25519:P-256") == 1;
}
int innkeeper_context_add_chain(SSL_CTX *context, X509 *certificate) {
    return SSL_CTX_add1_chain_cert(context, certificate) == 1;
}
void innkeeper_context_server_sessions(SSL_CTX *context, long seconds) {
    // Tickets only: the server itself remembers nothing about clients that left.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_timeout(context, seconds);
    SSL_CTX_set_num_tickets(context, 1);
}
void innkeeper_context_client_sessions(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
}
int innkeeper_context_ticket_keys(SSL_CTX *context, unsigned char *keys, long count) {
    return SSL_CTX_set_tlsext_ticket_keys(context, keys, count) == 1;
}
int innkeeper_ssl_set_server_name(SSL *ssl, const char *name) { return SSL_set_tlsext_host_name(ssl, name) == 1; }
int innkeeper_error_alert(unsigned long error) {
    if (ERR_GET_LIB(error) != ERR_LIB_SSL) return -1;
    int reason = ERR_GET_REASON(error);
    return reason > SSL_AD_REASON_OFFSET && reason <= SSL_AD_REASON_OFFSET + 255 ? reason - SSL_AD_REASON_OFFSET : -1;
}

// A process ends while other threads of it still speak TLS. libcrypto's clean-up at `exit` would take from under them what
// they use; the kernel takes the memory back all the same. Its first initialisation decides, so this comes before `main`.
__attribute__((constructor)) static void keep_until_the_end(void) { OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL); }
