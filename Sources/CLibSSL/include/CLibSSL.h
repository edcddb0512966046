// The system's libssl and libcrypto for Swift, plus functions for what does not import:
// macros, variadics and stacks.
#ifndef CLibSSL_h
#define CLibSSL_h

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

/// A new P-256 key, or NULL.
EVP_PKEY *innkeeper_p256_generate(void);

/// The bytes that a memory BIO holds; valid until the BIO changes.
long innkeeper_bio_memory(BIO *bio, const char **bytes);
void innkeeper_bio_retry_read(BIO *bio);
void innkeeper_bio_clear_retry(BIO *bio);

/// PEM reading that never asks a terminal for a passphrase: encrypted input is an error.
X509 *innkeeper_pem_certificate(BIO *bio);
X509_REQ *innkeeper_pem_request(BIO *bio);
EVP_PKEY *innkeeper_pem_key(BIO *bio);

/// Adds an extension from its configuration text. Only for constant texts.
int innkeeper_certificate_extend(X509 *certificate, X509 *issuer, int nid, const char *value);

size_t innkeeper_names_count(const GENERAL_NAMES *names);
GENERAL_NAME *innkeeper_names_at(const GENERAL_NAMES *names, size_t index);
int innkeeper_names_push(GENERAL_NAMES *names, GENERAL_NAME *name);
GENERAL_NAMES *innkeeper_certificate_names(X509 *certificate);
int innkeeper_name_type(const GENERAL_NAME *name);
/// The text of a DNS name or URI, or the 4 or 16 bytes of an IP address; NULL for other kinds.
const ASN1_STRING *innkeeper_name_text(const GENERAL_NAME *name);

size_t innkeeper_chain_count(const STACK_OF(X509) *chain);
X509 *innkeeper_chain_at(const STACK_OF(X509) *chain, size_t index);
STACK_OF(X509) *innkeeper_chain_new(void);
int innkeeper_chain_push(STACK_OF(X509) *chain, X509 *certificate);
/// Frees the stack, not the certificates in it.
void innkeeper_chain_free(STACK_OF(X509) *chain);

/// Settings that every context has: TLS 1.3 only, small buffers, no chain guessing.
int innkeeper_context_prepare(SSL_CTX *context);
int innkeeper_context_add_chain(SSL_CTX *context, X509 *certificate);
void innkeeper_context_server_sessions(SSL_CTX *context, long seconds);
void innkeeper_context_client_sessions(SSL_CTX *context);
int innkeeper_context_ticket_keys(SSL_CTX *context, unsigned char *keys, long count);
int innkeeper_ssl_set_server_name(SSL *ssl, const char *name);
/// The alert number of a library error that reports the peer's fatal alert, else -1.
int innkeeper_error_alert(unsigned long error);

#endif
