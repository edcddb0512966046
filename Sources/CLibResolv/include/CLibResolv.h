#ifndef CLibResolv_h
#define CLibResolv_h

#include <stdint.h>

// The most that a query takes.
#define INNKEEPER_DNS_QUERY 512

// Writes a query of class IN that takes answers of up to 1,232 bytes over UDP. Returns its length, -1 for what is no name.
int innkeeper_dns_query(const char *name, int type, int recurse, uint16_t id, uint8_t *room);

// A record as it is visited: the name and, for NS and CNAME, `text` as dotted names; `data` is what the record holds.
typedef struct {
  int section;
  int type;
  const char *name;
  const char *text;
  const uint8_t *data;
  int length;
} innkeeper_dns_record;

// Reads a message: visits the question (section 0), then the answers (section 1), as long as `visit` returns 1.
// Returns the code of the answer (0 for none wrong, 3 for a name that is not there), -1 for what is no answer to a query.
int innkeeper_dns_read(
    const uint8_t *message, int length, void *context, int (*visit)(void *context, const innkeeper_dns_record *record));

// Writes the addresses of the name servers that the machine is set up with, each ended by a new line. Returns how many.
int innkeeper_dns_servers(char *room, int size);

#endif
